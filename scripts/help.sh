# Sourced by scripts, in the checkout: --help shows the comment at their head, before anything is installed or begun.
case " $* " in
  *" --help "* | *" -h "*) sed -n '2,/^set /{s/^# \{0,1\}//;/^set /d;p;}' "scripts/${0##*/}"; exit ;;
esac
