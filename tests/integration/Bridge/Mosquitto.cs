using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Millrace.TestKit;
using Millrace.TestKit.Network;

namespace Millrace.Integration.Tests.Bridge;

/// <summary>A mosquitto on loopback that keeps its sessions on disk, to be stopped and started again.</summary>
internal sealed class Mosquitto : IAsyncDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _program;
    private Process? _process;

    private Mosquitto(string program, string more)
    {
        _program = program;
        Port = FreePort.Next();
        File.WriteAllText(Configuration, $"""
            listener {Port} 127.0.0.1
            persistence true
            persistence_location {_folder.Path}/
            autosave_interval 1800
            max_queued_messages 0
            user {Environment.UserName}
            {more}

            """);
    }

    public int Port { get; }

    private string Configuration => _folder.Sub("mosquitto.conf");

    /// <param name="more">Lines of the configuration; by default everybody may do everything.</param>
    public static async Task<Mosquitto> StartAsync(string more = "allow_anonymous true")
    {
        var program = new[] { "/usr/sbin/mosquitto", "/usr/local/sbin/mosquitto" }.FirstOrDefault(File.Exists);
        if (program is null) Assert.Ignore("mosquitto is not installed (Debian: mosquitto).");
        var broker = new Mosquitto(program!, more);
        await broker.StartAgainAsync();
        return broker;
    }

    public async Task StartAgainAsync()
    {
        _process = Process.Start(new ProcessStartInfo(_program, ["-c", Configuration])
        {
            RedirectStandardError = true,
            RedirectStandardOutput = true,
        })!;
        _process.BeginErrorReadLine();
        _process.BeginOutputReadLine();
        await Eventually.TrueAsync(async () =>
        {
            Assert.That(_process.HasExited, Is.False, "mosquitto ended");
            using var probe = new TcpClient();
            try
            {
                await probe.ConnectAsync(IPAddress.Loopback, Port);
                return true;
            }
            catch (SocketException)
            {
                return false;
            }
        }, "mosquitto listens");
    }

    /// <summary>Stops as an operator does: it writes its sessions to disk.</summary>
    public async Task StopAsync()
    {
        using var kill = Process.Start("kill", ["-TERM", $"{_process!.Id}"]);
        await _process.WaitForExitAsync().WaitAsync(TimeSpan.FromSeconds(20));
        _process.Dispose();
        _process = null;
    }

    public async ValueTask DisposeAsync()
    {
        if (_process is not null)
        {
            _process.Kill();
            await _process.WaitForExitAsync();
            _process.Dispose();
        }

        _folder.Dispose();
    }
}
