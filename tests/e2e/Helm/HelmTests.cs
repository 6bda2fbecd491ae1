using System.Text.Json.Nodes;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Helm;

/// <summary>The chart on a real Kubernetes, from nothing to gone, with devices that send all the while.</summary>
[Category("Helm")]
public class HelmTests
{
    private const long MemoryMax = 6L << 30;
    private const string Broker = """
        apiVersion: v1
        kind: ConfigMap
        metadata: { name: mosquitto }
        data:
          mosquitto.conf: |
            listener 1883
            allow_anonymous true
        ---
        apiVersion: v1
        kind: Service
        metadata: { name: mosquitto }
        spec:
          type: NodePort
          selector: { app: mosquitto }
          ports: [ { port: 1883, nodePort: 30884 } ]
        ---
        apiVersion: v1
        kind: Pod
        metadata: { name: mosquitto, labels: { app: mosquitto } }
        spec:
          automountServiceAccountToken: false
          securityContext: { runAsNonRoot: true, runAsUser: 1883, seccompProfile: { type: RuntimeDefault } }
          containers:
            - name: mosquitto
              image: docker.io/library/eclipse-mosquitto:2.0.22
              command: [ mosquitto, -c, /mosquitto/config/mosquitto.conf ]
              securityContext: { allowPrivilegeEscalation: false, capabilities: { drop: [ ALL ] } }
              volumeMounts: [ { name: config, mountPath: /mosquitto/config } ]
          volumes: [ { name: config, configMap: { name: mosquitto } } ]
        """;

    private const string UsersPort = "api/8080";
    private static readonly string[] Ports = [UsersPort, "kafka/9092", "kafka-nodes/9093", "cassandra/9042",
        "cassandra-nodes/7000", "s3/7070", "nodes/4053"];
    private static readonly TimeSpan Soon = TimeSpan.FromMinutes(2);
    private static readonly string[] Devices = [.. Enumerable.Range(0, 6).Select(i => $"device-{i}")];
    private static readonly string[] Platform = ["gateway", "stream-processor", "archiver", "api"];
    private static readonly string[] Roles =
        ["gateway", "stream-processor", "archiver", "api", "s3", "kafka", "cassandra"];

    [Test]
    public async Task What_was_acknowledged_outlives_lost_pods_an_upgrade_a_rollback_and_an_uninstallation()
    {
        await using var kubernetes = await Kubernetes.StartAsync();
        using var previous = await PreviousVersion.CheckOutAsync();
        await kubernetes.LoadImagesAsync(previous);
        await kubernetes.MakeNamespaceAsync();
        await kubernetes.MakeVolumesAsync("data-millrace-kafka-0", "data-millrace-cassandra-0", "data-millrace-s3-0");
        await kubernetes.ApplyAsync(Broker);
        var release = new HubRelease(kubernetes);
        await release.InstallAsync(previous);
        await kubernetes.HelmAsync("test", HubRelease.Name, "--timeout", "3m");

        using var folder = new TemporaryFolder();
        var authority = folder.Sub("ca.crt");
        await File.WriteAllTextAsync(authority, await kubernetes.SecretAsync("millrace-certificate", "ca.crt"));
        using var api = await release.OpenApiAsync();
        var keys = new Dictionary<string, string>();
        foreach (var device in Devices) keys[device] = await api.RegisterAsync(device);
        await using var fleet = new Fleet(kubernetes.NodeAddress, HubRelease.DevicePort, authority, keys);
        fleet.Start();
        await AlertsComeAsync(api);
        await BridgedComesAsync(kubernetes, api);

        await release.UpgradeAsync("--set", "roles.gateway.replicas=2");
        await AcknowledgesAsync(fleet, "after the upgrade");
        await AlertsComeAsync(api);
        await release.ChangeTokenAsync();
        var secrets = await SecretsAsync(kubernetes);
        await kubernetes.HelmAsync("rollback", HubRelease.Name, "1", "--wait", "--timeout", "8m");
        await AcknowledgesAsync(fleet, "after the rollback");
        Assert.That(await SecretsAsync(kubernetes), Is.EqualTo(secrets), "a rollback changes no secret");
        Assert.That(secrets, Has.Count.GreaterThanOrEqualTo(6));
        await release.UpgradeAsync();
        await AcknowledgesAsync(fleet, "after the upgrade was done again");
        await kubernetes.HelmAsync("test", HubRelease.Name, "--timeout", "3m");

        if (kubernetes.IsOurs) Assert.That(await ReachedAsync(kubernetes), Is.EqualTo(Ports));
        await using var filter = await PolicyFilter.StartAsync(kubernetes);
        if (filter is not null) Assert.That(await ReachedAsync(kubernetes), Is.EqualTo(new[] { UsersPort }));

        foreach (var role in Roles)
        {
            await release.DeletePodsAsync(role);
            await AcknowledgesAsync(fleet, $"after the pods of {role} were deleted");
            foreach (var other in Platform) await release.ReadyAsync(other);
        }

        string? before = null;
        await Eventually.TrueAsync(async () => (before = await release.ShownCertificateAsync()) is not null,
            "a certificate is shown", Soon);
        await release.UpgradeAsync("--set", "certificate.generation=2");
        await Eventually.TrueAsync(async () => await release.ShownCertificateAsync() is { } shown && shown != before,
            "the renewed certificate is shown", TimeSpan.FromMinutes(4));
        await AcknowledgesAsync(fleet, "after the certificate was renewed");
        await PrintMemoryAsync(kubernetes);

        await fleet.StopAsync();
        await AllIsThereAsync(api, fleet);
        await FinaliseAsync(kubernetes);
        await SparkAnswersAsync(kubernetes, release, fleet);
        await UninstallAsync(kubernetes, release, fleet);
    }

    private static async Task AlertsComeAsync(HubApi api)
    {
        var before = await NewestAlertAsync(api);
        await Eventually.TrueAsync(async () => await NewestAlertAsync(api) is { } newest && newest != before,
            "the query of the values raises alerts", Soon);
    }

    private static async Task<string?> NewestAlertAsync(HubApi api) =>
        (await api.TryGetAsync("api/v1/alerts?query=hot&limit=1"))?["items"]!.AsArray() is [{ } alert]
            ? alert.ToJsonString()
            : null;

    private static async Task BridgedComesAsync(Kubernetes kubernetes, HubApi api)
    {
        await kubernetes.KubectlAsync("wait", "--for=condition=Ready", "pod/mosquitto", "--timeout=2m");
        await Eventually.TrueAsync(async () => (await api.TryGetAsync("api/v1/bridges"))?.ToJsonString()
            .Contains("\"connected\"") == true, "the bridge is connected", Soon);
        var tool = Tool.Find("mosquitto_pub")!;
        var (code, output) = await tool.RunAsync("-h", kubernetes.NodeAddress, "-p", $"{HubRelease.BrokerPort}",
            "-q", "1", "-t", "plant/press-7/data", "-m", """{"temperature": 47}""");
        Assert.That(code, Is.Zero, output);
        await Eventually.TrueAsync(async () => (await api.TelemetryAsync("press-7")).Count == 1,
            "what another broker got is read back", Soon);
    }

    /// <summary>Of the release's ports, those that a pod reaches which is not of it, in its namespace.</summary>
    private static async Task<List<string>> ReachedAsync(Kubernetes kubernetes)
    {
        var reached = new List<string>();
        foreach (var port in Ports)
        {
            var (code, _, _) = await kubernetes.TryKubectlAsync("exec", "mosquitto", "--", "timeout", "5", "bash", "-c",
                $": < /dev/tcp/millrace-{port}");
            if (code == 0) reached.Add(port);
        }

        return reached;
    }

    private static Task AcknowledgesAsync(Fleet fleet, string when)
    {
        var before = fleet.Acknowledged.Count;
        return Eventually.TrueAsync(
            () => fleet.Acknowledged.Count > before + 100, $"devices are answered {when}", Soon);
    }

    private static async Task AllIsThereAsync(HubApi api, Fleet fleet)
    {
        var acknowledged = fleet.Acknowledged;
        await Eventually.TrueAsync(async () =>
        {
            var archived = (await api.SqlAsync("SELECT device_id, number FROM telemetry WHERE number IS NOT NULL"))
                .Select(row => ((string)row["device_id"]!, (int)row["number"]!)).ToHashSet();
            return acknowledged.All(archived.Contains);
        }, "all that was acknowledged is in the archive", Soon);
        await AllIsWarmAsync(api, fleet);
        TestContext.Progress.WriteLine($"{acknowledged.Count} acknowledged, all there; connections lost: {fleet.Lost}");
    }

    private static async Task AllIsWarmAsync(HubApi api, Fleet fleet)
    {
        foreach (var device in Devices)
        {
            var stored = (await api.TelemetryAsync(device)).Select(body => (int)body["number"]!).ToHashSet();
            var missing = fleet.Acknowledged.Where(a => a.Device == device && !stored.Contains(a.Number));
            Assert.That(missing, Is.Empty, device);
        }
    }

    /// <summary>The archive, read by the chart's Spark.</summary>
    private static async Task SparkAnswersAsync(Kubernetes kubernetes, HubRelease release, Fleet fleet)
    {
        await release.UpgradeAsync("--set", "spark.enabled=true");
        await kubernetes.KubectlAsync("rollout", "status", "deployment/millrace-spark", "--timeout=5m");
        await release.ReadyAsync("api");
        using var api = await release.OpenApiAsync();
        var rows = await api.SqlAsync(
            "SELECT count(DISTINCT number) AS numbers FROM telemetry WHERE device_id = 'device-0'");
        var acknowledged = fleet.Acknowledged.Count(each => each.Device == "device-0");
        Assert.That((int)rows[0]["numbers"]!, Is.GreaterThanOrEqualTo(acknowledged));
    }

    /// <summary>By the runbook's commands: no version of before is let in again.</summary>
    private static async Task FinaliseAsync(Kubernetes kubernetes)
    {
        await kubernetes.KubectlAsync("rollout", "status", "statefulset", "-l", "millrace/member", "--timeout=2m");
        var state = JsonNode.Parse(await kubernetes.KubectlAsync("exec", "millrace-api-0", "--", "millrace", "upgrade",
            "finalise", "--output", "json"))!;
        Assert.That((int)state["finalised"]!, Is.EqualTo((int)state["known"]!).And.EqualTo((int)state["schema"]!));
    }

    private static async Task PrintMemoryAsync(Kubernetes kubernetes)
    {
        var memory = await kubernetes.MemoryAsync();
        foreach (var (pod, bytes) in memory.OrderBy(pod => pod.Key))
            TestContext.Progress.WriteLine($"{pod,-32} {bytes >> 20,6} MiB");
        TestContext.Progress.WriteLine($"{"all pods",-32} {memory.Values.Sum() >> 20,6} MiB");
        Assert.That(memory.Values.Sum(), Is.LessThan(MemoryMax));
    }

    private static async Task UninstallAsync(Kubernetes kubernetes, HubRelease release, Fleet fleet)
    {
        await kubernetes.HelmAsync("uninstall", HubRelease.Name, "--wait", "--timeout", "5m");
        await release.InstallAsync();
        using (var again = await release.OpenApiAsync()) await AllIsWarmAsync(again, fleet);

        await release.UpgradeAsync("--set", "keepData=false");
        await kubernetes.HelmAsync("uninstall", HubRelease.Name, "--wait", "--timeout", "5m");
        await Eventually.TrueAsync(async () =>
            (await kubernetes.GetAsync("pvc"))["items"]!.AsArray().Count == 0, "the volumes are gone", Soon);
        Assert.That((await SecretsAsync(kubernetes)).Keys, Is.Empty);
        await Eventually.TrueAsync(async () => (await kubernetes.GetAsync("job,pod", "-l",
                $"app.kubernetes.io/instance={HubRelease.Name}"))["items"]!.AsArray().Count == 0,
            "no job and no pod of the release is left", Soon);
    }

    /// <summary>The values of each secret that is the platform's, by its name.</summary>
    private static async Task<Dictionary<string, string>> SecretsAsync(Kubernetes kubernetes) =>
        (await kubernetes.GetAsync("secret"))["items"]!.AsArray()
            .Where(secret => ((string)secret!["type"]!).StartsWith("Opaque", StringComparison.Ordinal)
                || (string)secret["type"]! == "kubernetes.io/tls")
            .ToDictionary(secret => (string)secret!["metadata"]!["name"]!, secret => secret!["data"]!.ToJsonString());
}
