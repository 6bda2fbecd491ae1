using System.Diagnostics;
using Millrace.E2E.Tests.Machines;
using Millrace.TestKit;

namespace Millrace.E2E.Tests.Helm;

/// <summary>When a node of the chart's Cassandra repairs itself; what nodetool does then is Cassandra's.</summary>
[Category("Helm")]
public class RepairTests
{
    private const int Week = 7 * 86_400;
    private TemporaryFolder _folder = null!;

    private static long Now => TimeProvider.System.GetUtcNow().ToUnixTimeSeconds();

    private string Stamp => _folder.Sub("stamp");

    [SetUp]
    public void Make() => _folder = new TemporaryFolder();

    [TearDown]
    public void End() => _folder.Dispose();

    [Test]
    public async Task A_week_after_the_last_repair_comes_the_next()
    {
        await File.WriteAllTextAsync(Stamp, $"{Now - Week}\n");
        using var script = await StartAsync(node: 0, exitCode: 0);
        await SaysAsync(script.StandardOutput, "Repaired millrace");
        Assert.That(await File.ReadAllTextAsync(_folder.Sub("asked")), Is.EqualTo("repair -full -pr millrace\n"));
        Assert.That(await DueInAsync(script), Is.EqualTo(Week).Within(60));
    }

    [Test]
    public async Task A_failed_repair_is_tried_again_in_an_hour()
    {
        await File.WriteAllTextAsync(Stamp, $"{Now - Week}\n");
        using var script = await StartAsync(node: 0, exitCode: 2);
        await SaysAsync(script.StandardError, "The repair of millrace failed");
        Assert.That(await DueInAsync(script), Is.EqualTo(3600).Within(60));
    }

    [TestCase(0, Week / 3)]
    [TestCase(1, Week * 2 / 3)]
    [TestCase(2, Week)]
    public async Task New_nodes_come_one_after_the_other(int node, int first)
    {
        using var script = await StartAsync(node, exitCode: 0);
        await Eventually.TrueAsync(() => File.Exists(Stamp), "the node knows its time");
        Assert.That(await DueInAsync(script), Is.EqualTo(first).Within(60));
        Assert.That(File.Exists(_folder.Sub("asked")), Is.False);
    }

    /// <summary>How many seconds from now the stamp lets it wait, once it has ended as a pod does.</summary>
    private async Task<long> DueInAsync(Process script)
    {
        await new Shell(_folder.Path).RunAsync("kill", $"{script.Id}");
        await script.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(10));
        Assert.That(script.ExitCode, Is.Zero);
        var stamp = long.Parse(await File.ReadAllTextAsync(Stamp), System.Globalization.CultureInfo.InvariantCulture);
        return stamp + Week - Now;
    }

    private async Task<Process> StartAsync(int node, int exitCode)
    {
        var tool = _folder.Sub("nodetool");
        await File.WriteAllTextAsync(tool, $"#!/bin/sh\necho \"$@\" >> {_folder.Sub("asked")}\nexit {exitCode}\n");
        File.SetUnixFileMode(tool, UnixFileMode.UserRead | UnixFileMode.UserExecute);
        var start = new ProcessStartInfo("sh", [Path.Combine(Shell.Root, "charts", "millrace", "files", "repair.sh")])
        {
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            Environment =
            {
                ["PATH"] = $"{_folder.Path}:{Environment.GetEnvironmentVariable("PATH")}",
                ["KEYSPACE"] = "millrace",
                ["REPAIR_DAYS"] = "7",
                ["REPLICAS"] = "3",
                ["HOSTNAME"] = $"millrace-cassandra-{node}",
                ["STAMP"] = Stamp,
                ["PAUSE"] = "0.05",
            },
        };
        return Process.Start(start)!;
    }

    private static async Task SaysAsync(StreamReader output, string text) => Assert.That(
        await output.ReadLineAsync().WaitAsync(TimeSpan.FromSeconds(10)), Does.StartWith(text));
}
