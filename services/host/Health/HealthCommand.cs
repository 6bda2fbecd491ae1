using System.CommandLine;
using Millrace.Client;

namespace Millrace.Health;

/// <summary>millrace health: how a process answers for itself, for images that have no other tool to ask it.</summary>
internal static class HealthCommand
{
    private const string ThisMachine = "http://127.0.0.1:8080";
    private static readonly TimeSpan Limit = TimeSpan.FromSeconds(5);

    private static readonly Option<string> Server = new("--server")
    {
        Description = $"Address of the process (else {ThisMachine})",
        HelpName = "URL",
        DefaultValueFactory = _ => ThisMachine,
    };

    private static readonly Option<bool> Ready = new("--ready")
    {
        Description = "Whether it takes work; without it, whether it is alive",
    };

    public static Command Build() => Verb.Local("health", "Ask a process whether it is alive, or takes work",
        "millrace health --ready", async (parsed, ct) =>
        {
            var server = PlatformTarget.Address(parsed.GetValue(Server)!);
            using var http = new HttpClient { BaseAddress = server, Timeout = Limit };
            try
            {
                using var answer = await http.GetAsync(parsed.GetValue(Ready) ? "readyz" : "healthz", ct);
                Console.WriteLine(await answer.Content.ReadAsStringAsync(ct));
                return answer.IsSuccessStatusCode ? Verb.Done : Verb.Failed;
            }
            catch (Exception e) when (ApiClient.IsUnreachable(e, ct))
            {
                throw HostErrors.PlatformUnreachable.With(server, e.Message).AsException(e);
            }
        }, Server, Ready);
}
