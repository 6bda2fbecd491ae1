using System.CommandLine;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Bridges;

/// <summary>millrace bridge ...</summary>
internal static class BridgeCommands
{
    public static Command Build() => Verb.Group("bridge", "Bridges to other brokers", Verb.Remote(
        "list", "How the bridges are, one line for each gateway that runs it", "millrace bridge list",
        async (parsed, api, ct) =>
        {
            var items = await api.ListAsync("api/v1/bridges?", int.MaxValue, ct);
            ResultWriter.List(parsed.GetValue(CommonOptions.Output), items, ("name", "name"), ("broker", "broker"),
                ("state", "state"), ("since", "since"), ("received", "received"), ("accepted", "accepted"),
                ("dead letters", "deadLettered"), ("sent", "sent"), ("in flight", "inFlight"), ("lag", "lag"),
                ("last error", "lastError"), ("client", "clientId"));
        }, CommonOptions.Output));
}
