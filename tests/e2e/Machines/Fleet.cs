using System.Collections.Concurrent;
using System.Security.Cryptography.X509Certificates;
using Millrace.TestKit;
using MQTTnet;
using MQTTnet.Protocol;

namespace Millrace.E2E.Tests.Machines;

/// <summary>
/// Devices that publish numbered messages with QoS 1 over TLS, keep what was acknowledged, and send again what was not
/// when the platform went away under them.
/// </summary>
internal sealed class Fleet(string host, int port, string authorityFile, IReadOnlyDictionary<string, string> keys)
    : IAsyncDisposable
{
    private static readonly TimeSpan AnswerLimit = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(200);

    private readonly ConcurrentDictionary<(string Device, int Number), bool> _acknowledged = new();
    private readonly CancellationTokenSource _stop = new();
    private Task _running = Task.CompletedTask;
    private int _lost;

    public IReadOnlyCollection<(string Device, int Number)> Acknowledged => [.. _acknowledged.Keys];

    /// <summary>How often a connection ended or was not to be had.</summary>
    public int Lost => Volatile.Read(ref _lost);

    public void Start() => _running = Task.WhenAll(keys.Select(device => RunAsync(device.Key, device.Value)));

    /// <summary>Returns when all that was sent is answered or given up.</summary>
    public async Task StopAsync()
    {
        await _stop.CancelAsync();
        await _running;
    }

    public async ValueTask DisposeAsync()
    {
        await StopAsync();
        _stop.Dispose();
    }

    private async Task RunAsync(string device, string key)
    {
        var next = 0;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                await using var connection = await MqttConnection.ConnectAsync(Options(device, key));
                var client = connection.Client;
                for (; !_stop.IsCancellationRequested && client.IsConnected; next++)
                {
                    // One that was not acknowledged is sent again at the next connection.
                    if (!await SendAsync(client, device, next)) break;
                }
            }
            catch (Exception e) when (e is MQTTnet.Exceptions.MqttCommunicationException or OperationCanceledException
                or MQTTnet.Adapter.MqttConnectingFailedException or IOException)
            {
                Interlocked.Increment(ref _lost);
            }

            await Task.Delay(Pause, CancellationToken.None);
        }
    }

    private async Task<bool> SendAsync(IMqttClient client, string device, int number)
    {
        var message = new MqttApplicationMessageBuilder().WithTopic("telemetry")
            .WithPayload($$"""{"number":{{number}},"temperature":{{number % 100}}}""")
            .WithContentType("application/json")
            .WithQualityOfServiceLevel(MqttQualityOfServiceLevel.AtLeastOnce).Build();
        var answer = await client.PublishAsync(message, CancellationToken.None);
        if (!answer.IsSuccess) return false;
        _acknowledged[(device, number)] = true;

        // A steady load, not the greatest one.
        await Task.Delay(TimeSpan.FromMilliseconds(20), CancellationToken.None);
        return true;
    }

    private MqttClientOptions Options(string device, string key)
    {
        var authority = new X509Certificate2Collection();
        authority.ImportFromPemFile(authorityFile);
        return new MqttClientOptionsBuilder().WithTcpServer(host, port)
            .WithTlsOptions(tls => tls.UseTls().WithTrustChain(authority))
            .WithProtocolVersion(MQTTnet.Formatter.MqttProtocolVersion.V500)
            .WithClientId(device).WithCredentials(device, key).WithTimeout(AnswerLimit).Build();
    }
}
