using System.Text;
using System.Text.Json.Nodes;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// Does on a one-node cluster of the test's own what network plug-ins do elsewhere: what the namespace's network
/// policies do not allow from pod to pod is dropped. What the node itself sends passes, as everywhere.
/// </summary>
internal sealed class PolicyFilter : IAsyncDisposable
{
    private const string Chain = "MILLRACE-E2E";
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    private readonly Shell _shell = new(Shell.Root);
    private readonly Kubernetes _kubernetes;
    private readonly CancellationTokenSource _stop = new();
    private Task _following = Task.CompletedTask;

    private PolicyFilter(Kubernetes kubernetes) => _kubernetes = kubernetes;

    /// <summary>Filters, and follows pods and policies as they change. Null on a cluster of somebody else's.</summary>
    public static async Task<PolicyFilter?> StartAsync(Kubernetes kubernetes)
    {
        if (!kubernetes.IsOurs) return null;
        var filter = new PolicyFilter(kubernetes);
        await filter.RefreshAsync();
        await filter._shell.RunAsync("iptables", "-I", "FORWARD", "-j", Chain);
        filter._following = Task.Run(filter.FollowAsync);
        return filter;
    }

    public async ValueTask DisposeAsync()
    {
        await _stop.CancelAsync();
        await _following;
        await _shell.RunAsync("iptables", "-D", "FORWARD", "-j", Chain);
        await _shell.RunAsync("iptables", "-F", Chain);
        await _shell.RunAsync("iptables", "-X", Chain);
        _stop.Dispose();
    }

    private async Task FollowAsync()
    {
        using var timer = new PeriodicTimer(Interval, TimeProvider.System);
        try
        {
            while (await timer.WaitForNextTickAsync(_stop.Token)) await RefreshAsync();
        }
        catch (OperationCanceledException)
        {
            // The test ends.
        }
    }

    private async Task RefreshAsync()
    {
        var pods = Items(await _kubernetes.GetAsync("pod")).Where(pod => AddressOf(pod) is not null).ToList();
        var policies = Items(await _kubernetes.GetAsync("networkpolicy"));
        var rules = new StringBuilder($"*filter\n:{Chain} - [0:0]\n")
            .Append($"-A {Chain} -m conntrack --ctstate ESTABLISHED,RELATED -j RETURN\n");
        var selected = new HashSet<string>();
        foreach (var policy in policies)
        {
            foreach (var pod in pods.Where(pod => IsSelected(policy["spec"]!["podSelector"]!, pod)))
            {
                selected.Add(AddressOf(pod)!);
                foreach (var rule in policy["spec"]!["ingress"]!.AsArray()) Allow(rule!, pod, pods, rules);
            }
        }

        foreach (var address in selected.Order())
            rules.Append($"-A {Chain} -d {address} -p tcp -j DROP\n");
        rules.Append("COMMIT\n");
        using var folder = new TemporaryFolder();
        await File.WriteAllTextAsync(folder.Sub("rules"), rules.ToString());
        await _shell.RunAsync("iptables-restore", "--noflush", folder.Sub("rules"));
    }

    private static void Allow(JsonNode rule, JsonNode pod, List<JsonNode> pods, StringBuilder rules)
    {
        var from = rule["from"]?.AsArray();
        foreach (var port in rule["ports"]!.AsArray().Select(port => PortOf(pod, (string)port!["port"]!)))
        {
            // A rule of this cluster's other namespaces allows nobody that a test has.
            var sources = from is null
                ? [""]
                : from.Where(source => source!["podSelector"] is not null)
                    .SelectMany(source => pods.Where(other => IsSelected(source!["podSelector"]!, other)))
                    .Select(other => $"-s {AddressOf(other)} ").Distinct();
            foreach (var source in sources)
                rules.Append($"-A {Chain} {source}-d {AddressOf(pod)} -p tcp --dport {port} -j RETURN\n");
        }
    }

    private static bool IsSelected(JsonNode selector, JsonNode pod)
    {
        Assert.That(selector["matchExpressions"], Is.Null, "expressions are not understood here");
        return selector["matchLabels"]?.AsObject()
            .All(label => (string?)pod["metadata"]!["labels"]?[label.Key] == (string?)label.Value) ?? true;
    }

    private static int PortOf(JsonNode pod, string name) => (int)pod["spec"]!["containers"]!.AsArray()
        .SelectMany(container => container!["ports"]?.AsArray() ?? [])
        .First(port => (string?)port!["name"] == name)!["containerPort"]!;

    private static string? AddressOf(JsonNode pod) => (string?)pod["status"]!["podIP"];

    private static List<JsonNode> Items(JsonNode list) => [.. list["items"]!.AsArray().Select(item => item!)];
}
