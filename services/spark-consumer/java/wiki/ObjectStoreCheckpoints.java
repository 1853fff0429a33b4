package wiki;

import java.io.ByteArrayOutputStream;
import java.io.FileNotFoundException;
import java.io.IOException;
import java.util.Arrays;
import java.util.Set;
import org.apache.hadoop.conf.Configuration;
import org.apache.hadoop.fs.FSDataInputStream;
import org.apache.hadoop.fs.FSDataOutputStream;
import org.apache.hadoop.fs.FSDataOutputStreamBuilder;
import org.apache.hadoop.fs.FileStatus;
import org.apache.hadoop.fs.FileSystem;
import org.apache.hadoop.fs.Path;
import org.apache.hadoop.fs.PathFilter;
import org.apache.spark.sql.execution.streaming.checkpointing.CheckpointFileManager;

/**
 * Spark's checkpoint in an object store: each file by one PUT of its name, without a rename.
 *
 * <p>The plan of a batch, and what else may be written once only, is put on the condition that nothing is
 * there. So a batch has one plan, however many consumers should run by mistake: who comes second fails.
 */
public final class ObjectStoreCheckpoints implements CheckpointFileManager {
  private static final String IF_ABSENT = "fs.option.create.conditional.overwrite";
  private static final Set<String> LOGS = Set.of("offsets", "commits");

  private final FileSystem store;
  private final Path root;

  /** Spark makes one for each log and each store of state. */
  public ObjectStoreCheckpoints(Path path, Configuration configuration) throws IOException {
    this.root = path;
    this.store = path.getFileSystem(configuration);
  }

  @Override
  public CheckpointFileManager.CancellableFSDataOutputStream createAtomic(Path path, boolean overwrite) {
    if (!overwrite) {
      Once content = new Once(path);
      return new Written(content, () -> content.cancelled = true);
    }
    try {
      FSDataOutputStream stream = store.create(path, true);
      return new Written(stream, stream::abort);
    } catch (IOException error) {
      throw thrown(error);
    }
  }

  @Override
  public FSDataInputStream open(Path path) {
    try {
      return store.open(path);
    } catch (IOException error) {
      throw thrown(error);
    }
  }

  @Override
  public FileStatus[] list(Path path, PathFilter filter) {
    try {
      return store.listStatus(path, filter);
    } catch (FileNotFoundException error) {
      return new FileStatus[0]; // an empty folder is none
    } catch (IOException error) {
      throw thrown(error);
    }
  }

  @Override
  public FileStatus[] list(Path path) {
    return list(path, any -> true);
  }

  @Override
  public void mkdirs(Path path) {
    // A folder is there with its first file.
  }

  @Override
  @SuppressWarnings("deprecation") // of all file systems, but here it asks for the file alone: one request
  public boolean exists(Path path) {
    try {
      return LOGS.contains(path.getParent().getName()) ? store.isFile(path) : store.exists(path);
    } catch (IOException error) {
      throw thrown(error);
    }
  }

  @Override
  public void delete(Path path) {
    try {
      store.delete(path, true);
    } catch (FileNotFoundException error) {
      // It is gone.
    } catch (IOException error) {
      throw thrown(error);
    }
  }

  @Override
  public boolean isLocal() {
    return false;
  }

  @Override
  public Path createCheckpointDirectory() {
    return root;
  }

  @Override
  public void close() {
    // Hadoop shares the file system.
  }

  /** Spark, which is in Scala, declares no exceptions but expects Hadoop's as they are. */
  @SuppressWarnings("unchecked")
  private static <E extends Throwable> RuntimeException thrown(Throwable error) throws E {
    throw (E) error;
  }

  private static final class Written extends CheckpointFileManager.CancellableFSDataOutputStream {
    private final Runnable onCancel;

    Written(java.io.OutputStream content, Runnable onCancel) {
      super(content);
      this.onCancel = onCancel;
    }

    @Override
    public void cancel() {
      onCancel.run();
    }
  }

  /** A small file that is put at its end, if nothing is there. */
  private final class Once extends ByteArrayOutputStream {
    private final Path path;
    private boolean cancelled;

    Once(Path path) {
      this.path = path;
    }

    @Override
    public void close() throws IOException {
      if (cancelled) {
        return;
      }
      cancelled = true;
      FSDataOutputStreamBuilder<?, ?> once = store.createFile(path);
      once.recursive().must(IF_ABSENT, true);
      try (FSDataOutputStream stream = once.build()) {
        stream.write(toByteArray());
      } catch (IOException error) {
        // A request that was written though it seemed to fail is refused when it is made again.
        if (!Arrays.equals(present(error), toByteArray())) {
          throw error;
        }
      }
    }

    private byte[] present(IOException failure) throws IOException {
      try (FSDataInputStream stream = store.open(path)) {
        return stream.readAllBytes();
      } catch (IOException error) {
        failure.addSuppressed(error);
        throw failure;
      }
    }
  }
}
