using Millrace.TestKit.Servers;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// The images that a test runs: the platform's, from the tree; the public ones, from their registry, or where the
/// engines command has stand-ins, those.
/// </summary>
internal static class Images
{
    public const string Platform = "docker.io/millrace/millrace:0.1.0";

    /// <summary>Those of the servers, and of the broker that is bridged.</summary>
    public static string[] Servers =>
        [.. new[] { "kafka", "cassandra", "versitygw", "spark", "eclipse-mosquitto" }.Select(ServerImages.Of)];

    /// <summary>A program of the folder in which the engines command lies; null when there is none.</summary>
    public static string? Beside(params string[] path) => EngineSet.Command() is { } command
        && Path.Combine([Path.GetDirectoryName(command)!, .. path]) is var found && File.Exists(found) ? found : null;

    public static async Task BuildAsync(Shell shell)
    {
        if (Beside("images", "build") is { } build)
        {
            await shell.RunAsync(build, "aspnet", "sdk", "kafka", "cassandra", "s3", "spark");
            await shell.RunAsync(Path.Combine(Shell.Root, "tests", "e2e", "stand-ins"), "mosquitto", "prometheus");
        }

        TestContext.Progress.WriteLine(await shell.RunAsync(Path.Combine(Shell.Root, "scripts", "images")));
    }
}
