using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// A Docker API: that of DOCKER_HOST or of this machine's daemon; else one that the engines command serves.
/// </summary>
internal static class DockerApi
{
    private const string Host = "DOCKER_HOST";

    /// <summary>The test is skipped when there is none.</summary>
    public static async Task EnsureDockerAsync(this Shell shell)
    {
        if (Environment.GetEnvironmentVariable(Host) is { Length: > 0 }) return;
        if (Tool.Find("docker") is not null && (await shell.TryAsync("docker", "info")).Code == 0) return;
        if (Images.Beside("images", "docker-api") is not { } command)
        {
            Assert.Ignore("There is no Docker API.");
            return;
        }

        shell.Export(await shell.RunAsync(command, "up"));
        shell.Environment["CONTAINERS_CONF"] = Images.Beside("images", "containers.conf")!;
    }

    /// <summary>Ends one that was served for the test.</summary>
    public static async Task ReleaseDockerAsync(this Shell shell)
    {
        if (shell.Environment.ContainsKey(Host)) await shell.RunAsync(Images.Beside("images", "docker-api")!, "down");
    }
}
