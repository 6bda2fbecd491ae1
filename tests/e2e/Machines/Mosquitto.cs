using Millrace.TestKit;

namespace Millrace.E2E.Tests.Machines;

/// <summary>A device maker's command: publishes over TLS, with an acknowledgement.</summary>
internal static class Mosquitto
{
    public static async Task PublishAsync(
        string host, int port, string authorityFile, string topic, string body, params string[] more)
    {
        var tool = Tool.Find("mosquitto_pub");
        Assert.That(tool, Is.Not.Null, "mosquitto_pub is not installed (Debian: mosquitto-clients).");
        var (code, output) = await tool!.RunAsync([
            "-h", host, "-p", $"{port}", "--cafile", authorityFile, "-q", "1", "-t", topic, "-m", body, .. more]);
        Assert.That(code, Is.Zero, output);
    }
}
