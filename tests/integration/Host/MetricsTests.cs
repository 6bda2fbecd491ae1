using System.Text.RegularExpressions;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Host;

/// <summary>What Prometheus finds at /metrics of a process that has just started.</summary>
public partial class MetricsTests() : PlatformTests(isShared: true,
    ("Gateway:Bridges:0:Name", "plant"), ("Gateway:Bridges:0:Host", "127.0.0.1"), ("Gateway:Bridges:0:Port", "1"),
    ("Gateway:Bridges:0:Subscriptions:0:Topic", "plant/{machine}"),
    ("Gateway:Bridges:0:Subscriptions:0:DeviceId", "{machine}"))
{
    [Test]
    public async Task What_is_measured_in_seconds_tells_milliseconds_apart()
    {
        await Eventually.TrueAsync(async () => BucketPattern().IsMatch(await Api.GetStringAsync("metrics")),
            "something was measured");
        var bounds = BucketPattern().Matches(await Api.GetStringAsync("metrics"))
            .ToLookup(bucket => bucket.Groups["name"].Value, bucket => bucket.Groups["bound"].Value);
        Assert.That(bounds.Select(one => one.Key), Does.Contain("millrace_eventlog_sync_duration_seconds_bucket"));
        foreach (var histogram in bounds)
            Assert.That(histogram, Does.Contain("0.005").And.Contain("0.01").And.Contain("1"), histogram.Key);
    }

    [Test]
    public async Task A_bridge_that_never_had_its_connection_is_seen() => Assert.That(
        (await Api.GetStringAsync("metrics")).Split('\n'), Has.One.Match(
            """^millrace_gateway_bridge_connected\{.*bridge="plant".*\} 0( |$)"""));

    [GeneratedRegex("^(?<name>millrace_\\w+_seconds_bucket)\\{.*le=\"(?<bound>[^\"]+)\"", RegexOptions.Multiline)]
    private static partial Regex BucketPattern();
}
