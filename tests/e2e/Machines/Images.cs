using Millrace.TestKit.Servers;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// The images that a test runs: the platform's, from the tree; the public ones, from their registry, or where the
/// engines command has stand-ins, those.
/// </summary>
internal static class Images
{
    public const string Platform = "docker.io/millrace/millrace:0.1.0";
    public const string Mosquitto = "docker.io/library/eclipse-mosquitto:2.0.22";
    public const string Kafka = "docker.io/apache/kafka:4.3.1";
    public const string S3 = "docker.io/versity/versitygw:v1.8.0";
    public const string Spark = "docker.io/millrace/spark:4.3.0";
    public const string Cassandra = "docker.io/library/cassandra:5.0";

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
