import com.datastax.oss.driver.api.core.CqlSession;
import com.datastax.oss.driver.api.core.config.DefaultDriverOption;
import com.datastax.oss.driver.api.core.config.DriverConfigLoader;
import com.datastax.oss.driver.api.core.cql.AsyncResultSet;
import com.datastax.oss.driver.api.core.cql.Row;
import java.lang.management.ManagementFactory;
import java.net.InetSocketAddress;
import java.time.Duration;
import java.time.Instant;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Semaphore;
import java.util.concurrent.atomic.LongAdder;

/** Reads with the Java driver what CqlBenchmark wrote. Arguments: port key|range requests devices start inFlight turns */
public class JavaReads {
    private static final LongAdder rows = new LongAdder();
    private static final LongAdder seen = new LongAdder();
    private static final LongAdder errors = new LongAdder();

    public static void main(String[] args) throws Exception {
        var port = Integer.parseInt(args[0]);
        var byKey = args[1].equals("key");
        var requests = Integer.parseInt(args[2]);
        var devices = Integer.parseInt(args[3]);
        var start = Long.parseLong(args[4]);
        var inFlight = Integer.parseInt(args[5]);
        var config = DriverConfigLoader.programmaticBuilder()
            .withDuration(DefaultDriverOption.REQUEST_TIMEOUT, Duration.ofSeconds(20))
            .withInt(DefaultDriverOption.REQUEST_PAGE_SIZE, 1000)
            .withInt(DefaultDriverOption.CONNECTION_MAX_REQUESTS, 4096).build();
        try (var session = CqlSession.builder().addContactPoint(new InetSocketAddress("127.0.0.1", port))
                .withLocalDatacenter("datacenter1").withConfigLoader(config).build()) {
            var select = "SELECT ts, body, temperature FROM millrace_bench.readings WHERE device = ?";
            var statement = session.prepare(byKey ? select + " AND ts = ?" : select);
            for (var turn = 0; turn < Integer.parseInt(args[6]); turn++) {
                rows.reset();
                var turns = new Semaphore(inFlight);
                var began = System.nanoTime();
                for (var request = 0; request < requests; request++) {
                    turns.acquire();
                    var read = byKey
                        ? session.executeAsync(statement.bind("device-" + request % devices, Instant.ofEpochMilli(start + request)))
                            .toCompletableFuture().thenAccept(page -> take(page.one()))
                        : session.executeAsync(statement.bind("device-" + request))
                            .toCompletableFuture().thenCompose(JavaReads::takeAll);
                    read.whenComplete((none, error) -> {
                        if (error != null) errors.increment();
                        turns.release();
                    });
                }
                turns.acquire(inFlight);
                var seconds = (System.nanoTime() - began) / 1e9;
                var system = (com.sun.management.OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
                System.out.printf("rows=%d rows_per_s=%.0f errors=%d client_cpu_s_total=%.2f%n", rows.sum(),
                    rows.sum() / seconds, errors.sum(), system.getProcessCpuTime() / 1e9);
            }
        }
    }

    private static void take(Row row) {
        seen.add((long) row.getDouble(2));
        rows.increment();
    }

    private static CompletableFuture<Void> takeAll(AsyncResultSet page) {
        for (var row : page.currentPage()) {
            seen.add(row.getInstant(0).toEpochMilli() + row.getByteBuffer(1).remaining());
            take(row);
        }
        return page.hasMorePages()
            ? page.fetchNextPage().toCompletableFuture().thenCompose(JavaReads::takeAll)
            : CompletableFuture.completedFuture(null);
    }
}
