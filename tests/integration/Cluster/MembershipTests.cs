using System.Net;
using System.Text.Json;
using Millrace.Integration.Tests.Gateway;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>Processes with the same seeds are members of one cluster; one of them does the housekeeping.</summary>
public class MembershipTests
{
    private const string Here = "does the housekeeping of the hub from now on";

    private readonly List<(TemporaryFolder Folder, PlatformProcess Process)> _members = [];

    [TearDown]
    public async Task StopAsync()
    {
        foreach (var (folder, process) in _members)
        {
            await process.DisposeAsync();
            folder.Dispose();
        }

        _members.Clear();
    }

    [Test]
    public async Task One_member_is_a_cluster()
    {
        Add(1);
        await StartAllAsync();
        await Eventually.TrueAsync(() => Says(0, Here), "it does the housekeeping", TimeSpan.FromSeconds(30));
        Assert.That(await MissingAsync(0), Does.Not.ContainKey("cluster"));
        Assert.That(await Process(0).TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, Process(0).Printed);
    }

    [Test]
    public async Task Three_members_go_on_without_one_that_is_killed_and_take_it_back()
    {
        Add(3);
        await StartAllAsync();
        for (var member = 0; member < 3; member++) await UpAsync(member);
        await Eventually.TrueAsync(() => Keepers().Count == 1, "one does the housekeeping", TimeSpan.FromSeconds(40));
        var keeper = Keepers().Single();
        await Process(keeper).KillAsync();
        int[] others = [.. Enumerable.Range(0, 3).Where(i => i != keeper)];

        await Eventually.TrueAsync(async () =>
            (await MissingAsync(others[0])).GetValueOrDefault("cluster", "").Contains("Not reachable"),
            "the others say who is missing", TimeSpan.FromSeconds(20));
        await Eventually.TrueAsync(() => others.Count(i => Says(i, Here)) == 1, "another one does it",
            TimeSpan.FromSeconds(40));
        await Process(keeper).StartRolesAsync("api");
        foreach (var member in Enumerable.Range(0, 3)) await UpAsync(member);
    }

    [Test]
    public async Task Members_are_restarted_in_turn_and_end_in_order()
    {
        Add(3);
        await StartAllAsync();
        for (var member = 0; member < 3; member++)
        {
            Assert.That(await Process(member).TerminateAsync(TimeSpan.FromSeconds(40)), Is.Zero,
                Process(member).Printed);
            await Process(member).StartRolesAsync("api");
            await UpAsync(member);
        }
    }

    [Test]
    public async Task Members_show_each_other_certificates_and_one_whose_time_is_over_stays_out()
    {
        using var folder = new TemporaryFolder();
        var certificates = new Certificates(folder.Path);
        (string, string)[] Tls(string certificate, string key) =>
        [
            ("Cluster:Tls:CertificateFile", certificate), ("Cluster:Tls:KeyFile", key),
            ("Cluster:Tls:CaFile", certificates.CaFile),
        ];
        Add(3, seeds: 1, member => member < 2
            ? Tls(certificates.ServerCertificateFile, certificates.ServerKeyFile)
            : Tls(certificates.OldCertificateFile, certificates.OldKeyFile));
        await StartAllAsync();
        await UpAsync(0);
        await UpAsync(1);
        await Eventually.TrueAsync(() => Keepers().Count == 1, "one does the housekeeping", TimeSpan.FromSeconds(40));
        Assert.That(Keepers().Single(), Is.Not.EqualTo(2));
        Assert.That((await MissingAsync(2))["cluster"], Does.Contain("not Up"));
    }

    private PlatformProcess Process(int member) => _members[member].Process;

    private bool Says(int member, string text) => Process(member).HasPrinted(text);

    private List<int> Keepers() => [.. Enumerable.Range(0, _members.Count).Where(i => Says(i, Here))];

    private Task UpAsync(int member) => Eventually.TrueAsync(
        async () => !(await MissingAsync(member)).ContainsKey("cluster"), $"{member} is up", TimeSpan.FromSeconds(60));

    private async Task<Dictionary<string, string>> MissingAsync(int member)
    {
        using var answer = await Process(member).Api.GetAsync("readyz");
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{member} takes work: {text}");
        var json = JsonDocument.Parse(text).RootElement;
        return json.GetProperty("missing").Deserialize<Dictionary<string, string>>()!;
    }

    /// <summary>Each with a data folder of its own: what they share here is the cluster alone.</summary>
    private void Add(int members, int? seeds = null, Func<int, (string, string)[]>? settings = null)
    {
        var ports = Enumerable.Range(0, members).Select(_ => FreePort.Next()).ToArray();
        for (var i = 0; i < members; i++)
        {
            var folder = new TemporaryFolder();
            _members.Add((folder, new PlatformProcess(folder.Path, [
                ("Node:Name", $"member-{i}"), ("Cluster:Port", $"{ports[i]}"), ("Cluster:StableAfter", "3s"),
                .. ports.Take(seeds ?? members).Select((port, seed) => ($"Cluster:Seeds:{seed}", $"localhost:{port}")),
                .. settings?.Invoke(i) ?? [],
            ])));
        }
    }

    private Task StartAllAsync() => Task.WhenAll(_members.Select(member => member.Process.StartRolesAsync("api")));
}
