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
    public async Task Members_show_each_other_certificates_and_one_whose_time_is_over_stays_out_until_it_is_renewed()
    {
        using var folder = new TemporaryFolder();
        var certificates = new Certificates(folder.Path);
        Add(3, seeds: 1, member => member < 2
            ? Tls(certificates, certificates.ServerCertificateFile, certificates.ServerKeyFile)
            : Tls(certificates, certificates.OldCertificateFile, certificates.OldKeyFile));
        await StartAllAsync();
        await UpAsync(0);
        await UpAsync(1);
        await Eventually.TrueAsync(() => Keepers().Count == 1, "one does the housekeeping", TimeSpan.FromSeconds(40));
        Assert.That(Keepers().Single(), Is.Not.EqualTo(2));
        await Eventually.TrueAsync(() => Says(0, "came as a member and is none"), "it was turned away",
            TimeSpan.FromSeconds(20));
        Assert.That((await MissingAsync(2))["cluster"], Does.Contain("not Up"));

        File.Copy(certificates.ServerKeyFile, certificates.OldKeyFile, overwrite: true);
        File.Copy(certificates.ServerCertificateFile, certificates.OldCertificateFile, overwrite: true);
        await UpAsync(2);
    }

    [Test]
    public async Task A_member_goes_on_when_seeds_hang_up_within_the_handshake_and_never_answer_it()
    {
        using var folder = new TemporaryFolder();
        var certificates = new Certificates(folder.Path);
        await using var hangingUp = new FalseSeed(answer: "HTTP/1.1 400 Bad Request\r\n\r\n");
        await using var silent = new FalseSeed(answer: null);
        var (folderOfIt, port) = (new TemporaryFolder(), FreePort.Next());
        _members.Add((folderOfIt, new PlatformProcess(folderOfIt.Path, [
            ("Node:Name", "member-0"), ("Cluster:Port", $"{port}"), ("Cluster:ConnectTimeMax", "1s"),
            ("Cluster:Seeds:0", $"localhost:{port}"), ("Cluster:Seeds:1", $"localhost:{hangingUp.Port}"),
            ("Cluster:Seeds:2", $"localhost:{silent.Port}"),
            .. Tls(certificates, certificates.ServerCertificateFile, certificates.ServerKeyFile),
        ])));
        await StartAllAsync();
        await Eventually.TrueAsync(() => hangingUp.Visits > 1 && silent.Visits > 1, "it tries both again",
            TimeSpan.FromSeconds(30));
        await Eventually.TrueAsync(() => Says(0, Here), "it goes on alone", TimeSpan.FromSeconds(30));
        Assert.That(await MissingAsync(0), Does.Not.ContainKey("cluster"));
        Assert.That(Process(0).HasPrinted("was not there within 00:00:01 (Cluster:ConnectTimeMax)"),
            Process(0).Printed);
        Assert.That(await Process(0).TerminateAsync(TimeSpan.FromSeconds(30)), Is.Zero, Process(0).Printed);
    }

    [Test]
    public async Task A_port_that_is_taken_is_said()
    {
        await using var taken = new FalseSeed(answer: null);
        var folder = new TemporaryFolder();
        var process = new PlatformProcess(folder.Path,
            ("Cluster:Port", $"{taken.Port}"), ("Cluster:Seeds:0", $"localhost:{taken.Port}"));
        _members.Add((folder, process));
        process.LaunchRoles("api");
        Assert.That(await process.EndsAsync(TimeSpan.FromSeconds(60)), Is.Not.Zero);
        Assert.That(process.HasPrinted($"HO-0002: A listener could not be opened. 127.0.0.1:{taken.Port}"),
            process.Printed);
    }

    private static (string, string)[] Tls(Certificates certificates, string certificate, string key) =>
    [
        ("Cluster:Tls:CertificateFile", certificate), ("Cluster:Tls:KeyFile", key),
        ("Cluster:Tls:CaFile", certificates.CaFile),
    ];

    private PlatformProcess Process(int member) => _members[member].Process;

    private bool Says(int member, string text) => Process(member).HasPrinted(text);

    private List<int> Keepers() => [.. Enumerable.Range(0, _members.Count).Where(i => Says(i, Here))];

    private Task UpAsync(int member) => Eventually.TrueAsync(
        async () => !(await MissingAsync(member)).ContainsKey("cluster"), $"{member} is up", TimeSpan.FromSeconds(60));

    private async Task<Dictionary<string, string>> MissingAsync(int member)
    {
        using var answer = await AnswerAsync(member);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{member} takes work: {text}");
        var json = JsonDocument.Parse(text).RootElement;
        return json.GetProperty("missing").Deserialize<Dictionary<string, string>>()!;
    }

    private async Task<HttpResponseMessage> AnswerAsync(int member)
    {
        try
        {
            return await Process(member).Api.GetAsync("readyz");
        }
        catch (HttpRequestException e)
        {
            throw new AssertionException($"{member} does not answer: {e.Message}\n{Process(member).Printed}", e);
        }
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
