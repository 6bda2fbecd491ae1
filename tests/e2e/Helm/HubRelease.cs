using System.Net.Security;
using System.Net.Sockets;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Helm;

/// <summary>A release of the chart with its values for one node, as a user installs it.</summary>
internal sealed class HubRelease(Kubernetes kubernetes)
{
    public const string Name = "millrace";
    public const int DevicePort = 30_883;
    public const int BrokerPort = 30_884;

    private const string Chart = "charts/millrace";

    private const string Hot = "SELECT IoTHub.ConnectionDeviceId AS deviceId, 'It is hot' AS message, number " +
        "INTO alerts FROM telemetry WHERE temperature > 98";

    /// <summary>What a user says beside values-small.yaml.</summary>
    private string Values => $$"""
        devices:
          hosts: [ "{{kubernetes.NodeAddress}}" ]
          service: { nodePort: {{DevicePort}} }
        cluster: { tls: { enabled: true } }
        bridges:
          - Name: plant
            Host: mosquitto
            Subscriptions: [ { Topic: "plant/{machine}/data", DeviceId: "{machine}" } ]
        queries:
          - { name: hot, text: "{{Hot}}" }
        config:
          Archiver: { RollAge: 5s, PromotedColumns: [ { Name: number, Path: number, Type: BigInt } ] }
        """;

    public Task InstallAsync() => UpgradeAsync("--install");

    public Task InstallAsync(PreviousVersion previous) =>
        ApplyAsync(previous.Chart, "--install", "--set", $"image.tag={PreviousVersion.Tag}");

    public Task UpgradeAsync(params string[] more) => ApplyAsync(Chart, more);

    private async Task ApplyAsync(string chart, params string[] more)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("values.yaml"), Values);
        await kubernetes.HelmAsync(["upgrade", Name, chart, "-f", $"{chart}/values-small.yaml",
            "-f", folder.Sub("values.yaml"), "--wait", "--timeout", "8m", .. more]);
    }

    /// <summary>The API, at the address that its service has within the cluster.</summary>
    public async Task<HubApi> OpenApiAsync()
    {
        var service = await kubernetes.GetAsync("service", $"{Name}-api");
        return new HubApi($"http://{(string)service["spec"]!["clusterIP"]!}:8080/",
            await kubernetes.SecretAsync($"{Name}-secrets", "admin.token"));
    }

    /// <summary>Another administrator's token, as when the one before is known to whom it should not be.</summary>
    public Task ChangeTokenAsync() => kubernetes.KubectlAsync("patch", "secret", $"{Name}-secrets", "-p",
        $$$"""{"stringData": {"admin.token": "mr_{{{Guid.NewGuid():N}}}{{{Guid.NewGuid():N}}}"}}""");

    /// <summary>Deletes the pods of a role, and returns when others are ready.</summary>
    public async Task DeletePodsAsync(string role)
    {
        await kubernetes.KubectlAsync("delete", "pod", "-l", $"app.kubernetes.io/component={role}", "--wait=true");
        await ReadyAsync(role);
    }

    public Task ReadyAsync(string role) =>
        kubernetes.KubectlAsync("rollout", "status", $"statefulset/{Name}-{role}", "--timeout=5m");

    /// <summary>
    /// The certificate that a device is shown which connects now; null when it is sent to a pod that is going.
    /// </summary>
    public async Task<string?> ShownCertificateAsync()
    {
        using var client = new TcpClient();
        try
        {
            await client.ConnectAsync(kubernetes.NodeAddress, DevicePort);
            await using var tls = new SslStream(client.GetStream(), false, (_, _, _, _) => true);
            await tls.AuthenticateAsClientAsync(kubernetes.NodeAddress);
            return tls.RemoteCertificate!.GetCertHashString();
        }
        catch (Exception e) when (e is SocketException or IOException)
        {
            return null;
        }
    }
}
