using System.Text.Json.Nodes;
using System.Text.RegularExpressions;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// A Kubernetes for tests, and one namespace of it: that of KUBECONFIG, with NODE_IP as the address of a node and the
/// images already there (the platform's, and that of <see cref="PreviousVersion"/>); else one that the engines command
/// starts, and ends with the test.
/// </summary>
internal sealed partial class Kubernetes : IAsyncDisposable
{
    public const string Namespace = "millrace-e2e";

    private readonly Shell _shell = new(Shell.Root);
    private readonly TemporaryFolder _volumes = new();
    private readonly string? _command;

    private Kubernetes(string? command) => _command = command;

    /// <summary>Whether the test started it, on this machine.</summary>
    public bool IsOurs => _command is not null;

    public string NodeAddress => _shell.Environment.GetValueOrDefault("NODE_IP")
        ?? Environment.GetEnvironmentVariable("NODE_IP") ?? "127.0.0.1";

    /// <summary>The test is skipped when there is none.</summary>
    public static async Task<Kubernetes> StartAsync()
    {
        var own = Environment.GetEnvironmentVariable("KUBECONFIG") is { Length: > 0 };
        var command = own ? null : Images.Beside("kube", "cluster");
        if (!own && command is null) Assert.Ignore("There is no Kubernetes: set KUBECONFIG.");
        var kubernetes = new Kubernetes(command);
        if (command is not null) kubernetes._shell.Export(await kubernetes._shell.RunAsync(command, "up"));
        return kubernetes;
    }

    /// <summary>Builds the images and brings them onto the node.</summary>
    public async Task LoadImagesAsync(PreviousVersion previous)
    {
        if (_command is null) return;
        await Images.BuildAsync(_shell);
        await previous.BuildImageAsync();
        await _shell.RunAsync(_command, ["load", Images.Platform, PreviousVersion.Image, .. Images.Servers]);
    }

    /// <summary>A namespace in which only pods of the restricted standard may run.</summary>
    public Task MakeNamespaceAsync() => ApplyAsync($$"""
        apiVersion: v1
        kind: Namespace
        metadata:
          name: {{Namespace}}
          labels: { pod-security.kubernetes.io/enforce: restricted }
        """);

    /// <summary>
    /// Volumes for these claims, on a cluster of the test's own: those of its storage class are its administrator's
    /// alone, and do not become the group's of a pod, as they do elsewhere.
    /// </summary>
    public async Task MakeVolumesAsync(params string[] claims)
    {
        if (_command is null) return;
        foreach (var claim in claims)
        {
            var path = Directory.CreateDirectory(_volumes.Sub(claim)).FullName;
            await _shell.RunAsync("chmod", "0777", path);
            await ApplyAsync($$"""
                apiVersion: v1
                kind: PersistentVolume
                metadata: { name: {{claim}} }
                spec:
                  capacity: { storage: 5Gi }
                  accessModes: [ ReadWriteOnce ]
                  storageClassName: standard
                  claimRef: { namespace: {{Namespace}}, name: {{claim}} }
                  hostPath: { path: {{path}} }
                """);
        }
    }

    public Task<string> KubectlAsync(params string[] arguments) =>
        _shell.RunAsync("kubectl", ["-n", Namespace, .. arguments]);

    public Task<(int Code, string Output, string Error)> TryKubectlAsync(params string[] arguments) =>
        _shell.TryAsync("kubectl", ["-n", Namespace, .. arguments]);

    public Task<string> HelmAsync(params string[] arguments) =>
        _shell.RunAsync("helm", ["-n", Namespace, .. arguments]);

    public Task<(int Code, string Output, string Error)> TryHelmAsync(params string[] arguments) =>
        _shell.TryAsync("helm", ["-n", Namespace, .. arguments]);

    public Task<string> ApplyAsync(string manifest) => ApplyAsync(manifest, []);

    public async Task<string> ApplyAsync(string manifest, params string[] more)
    {
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("manifest.yaml"), manifest);
        return await KubectlAsync(["apply", "-f", folder.Sub("manifest.yaml"), .. more]);
    }

    public async Task<JsonNode> GetAsync(params string[] arguments) =>
        JsonNode.Parse(await KubectlAsync(["get", .. arguments, "-o", "json"]))!;

    /// <summary>A key of a secret, as text.</summary>
    public async Task<string> SecretAsync(string name, string key)
    {
        var secret = await GetAsync("secret", name);
        return System.Text.Encoding.UTF8.GetString(Convert.FromBase64String((string)secret["data"]![key]!));
    }

    /// <summary>Memory in use, in bytes, of each pod of the namespace, as the node counts it.</summary>
    public async Task<Dictionary<string, long>> MemoryAsync()
    {
        var nodes = await GetAsync("nodes");
        var node = (string)nodes["items"]![0]!["metadata"]!["name"]!;
        var metrics = await KubectlAsync("get", "--raw", $"/api/v1/nodes/{node}/proxy/metrics/resource");
        return MemoryPattern().Matches(metrics)
            .ToDictionary(pod => pod.Groups["pod"].Value, pod => (long)double.Parse(pod.Groups["bytes"].Value));
    }

    public async ValueTask DisposeAsync()
    {
        if (TestContext.CurrentContext.Result.FailCount > 0)
        {
            var (_, pods, _) = await _shell.TryAsync("kubectl", "-n", Namespace, "get", "pods,jobs,events");
            TestContext.Out.WriteLine(pods);
        }

        if (_command is not null) await _shell.RunAsync(_command, "down");
        else await _shell.TryAsync("kubectl", "delete", "namespace", Namespace);
        _volumes.Dispose();
    }

    [GeneratedRegex(
        "pod_memory_working_set_bytes{namespace=\"" + Namespace + "\",pod=\"(?<pod>[^\"]+)\"} (?<bytes>\\S+)")]
    private static partial Regex MemoryPattern();
}
