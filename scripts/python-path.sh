# Sourced by scripts, in the checkout: Python finds the services and the scripts' own packages from every folder.
for folder in scripts services/common services/producer services/spark-consumer services/web services/stream-simulator; do
  PYTHONPATH=$PWD/$folder${PYTHONPATH:+:$PYTHONPATH}
done
export PYTHONPATH
