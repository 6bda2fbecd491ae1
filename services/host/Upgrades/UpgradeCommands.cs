using System.CommandLine;
using System.Text.Json.Nodes;
using Millrace.Client;
using Millrace.Output;

namespace Millrace.Upgrades;

/// <summary>millrace upgrade ...</summary>
internal static class UpgradeCommands
{
    private const string Path = "api/v1/upgrade";

    public static Command Build() => Verb.Group("upgrade", "The way from one version of the platform to the next",
        Verb.Remote("show", "The schema of the stores, and which versions may still use it", "millrace upgrade show",
            async (parsed, api, ct) => ResultWriter.One(
                parsed.GetValue(CommonOptions.Output), (await api.GetAsync(Path, ct))!.AsObject()),
            CommonOptions.Output),
        Verb.Remote("finalise", "Refuse older versions from now on: there is no rolling back",
            "millrace upgrade finalise", async (parsed, api, ct) => ResultWriter.One(
                parsed.GetValue(CommonOptions.Output),
                (await api.PostAsync($"{Path}/finalise", new JsonObject(), ct))!.AsObject()),
            CommonOptions.Output));
}
