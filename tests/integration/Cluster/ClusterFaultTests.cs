using System.Net;
using System.Net.Http.Headers;
using System.Text.Json;
using Millrace.Integration.Tests.Survival;
using Millrace.TestKit;

namespace Millrace.Integration.Tests.Cluster;

/// <summary>What befalls the members of a cluster under load: all roles are members, three of them seeds.</summary>
[Category("Faults")]
public class ClusterFaultTests
{
    private const string Paused = "streams-1", SecondApi = "api-2";
    private static readonly TimeSpan Notice = TimeSpan.FromSeconds(60);

    /// <summary>
    /// One is silent for so long that the majority goes on without it: when it wakes up it ends, and is started again,
    /// as a supervisor does. Then each is asked to end and started again, while one of two APIs always answers.
    /// </summary>
    [TestCase(7)]
    public Task A_member_that_was_paused_too_long_ends_and_all_are_restarted_in_turn(int seed) =>
        ClusterLoad.RunAsync(seed, new HubShape(Seeds: 3), async (hub, fleet, random) =>
        {
            await hub.StartAsync(SecondApi, ClusterLoad.ApiRoles);
            string[] nodes = [.. ClusterLoad.Nodes, SecondApi];
            foreach (var node in nodes) await UpAsync(hub, node);
            await hub[Paused].PauseBetweenWritesAsync();
            await ShowsAsync(hub, "api", missing => missing.Contains("Not reachable"), "it is missed");
            await ShowsAsync(hub, "api", missing => missing.Length == 0, "the others go on without it");
            hub[Paused].Pause(false);
            Assert.That(await hub[Paused].EndsAsync(Notice), Is.Not.Zero, "so that a supervisor starts it again");
            Assert.That(hub[Paused].Printed, Does.Contain("HO-0005"));
            await hub.StartAgainAsync(Paused);
            await UpAsync(hub, Paused);
            await fleet.GoesOnAsync($"with {Paused} again");

            using var stop = new CancellationTokenSource();
            var asking = AskAsync(hub, stop.Token);
            random.Shuffle(nodes);
            foreach (var node in nodes)
            {
                await hub.TerminateAsync(node);
                await hub.StartAgainAsync(node);
                await UpAsync(hub, node);
            }

            await stop.CancelAsync();
            TestContext.Out.WriteLine($"{await asking} answers while all were restarted");
            await hub.TerminateAsync(SecondApi);
        });

    private static Task UpAsync(RoleSet hub, string node) =>
        ShowsAsync(hub, node, missing => !missing.Contains("not Up"), $"{node} is a member");

    private static Task ShowsAsync(RoleSet hub, string node, Predicate<string> shown, string what) =>
        Eventually.TrueAsync(async () =>
        {
            using var answer = await hub[node].Api.GetAsync("readyz");
            var body = await answer.Content.ReadAsStringAsync();
            Assert.That(answer.StatusCode, Is.EqualTo(HttpStatusCode.OK), $"{node}: {body}");
            var missing = JsonDocument.Parse(body).RootElement
                .GetProperty("missing");
            return shown(missing.TryGetProperty("cluster", out var cluster) ? cluster.GetString()! : "");
        }, what, Notice);

    /// <summary>As through a load balancer: one of the APIs answers, whenever one asks.</summary>
    private static async Task<int> AskAsync(RoleSet hub, CancellationToken stop)
    {
        using var client = new HttpClient { Timeout = TimeSpan.FromSeconds(20) };
        client.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue(
            "Bearer", (await File.ReadAllTextAsync(Path.Combine(hub.Data, "admin.token"), stop)).Trim());
        var answers = 0;
        while (!stop.IsCancellationRequested)
        {
            var isAnswered = await AnswersAsync(client, hub["api"]) || await AnswersAsync(client, hub[SecondApi]);
            if (!isAnswered) throw new TimeoutException($"Neither API answered, after {answers} times that one did.");
            answers++;
            await Task.Delay(TimeSpan.FromMilliseconds(100), TimeProvider.System, CancellationToken.None);
        }

        return answers;
    }

    private static async Task<bool> AnswersAsync(HttpClient client, PlatformProcess api)
    {
        try
        {
            using var answer = await client.GetAsync(
                $"http://127.0.0.1:{api.HttpPort}/api/v1/devices/survivor-0", CancellationToken.None);
            return answer.IsSuccessStatusCode;
        }
        catch (Exception e) when (e is HttpRequestException or OperationCanceledException)
        {
            return false;
        }
    }
}
