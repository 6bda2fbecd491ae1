using MQTTnet;

namespace Millrace.TestKit;

/// <summary>
/// One connection of a device to a server that may go away: MQTTnet's own Dispose throws when it meets the clean-up
/// after a lost connection, so the end of that is waited for.
/// </summary>
public sealed class MqttConnection : IAsyncDisposable
{
    private static readonly TimeSpan EndLimit = TimeSpan.FromSeconds(30);

    private readonly IMqttClient _client = new MqttClientFactory().CreateMqttClient();
    private readonly TaskCompletionSource _ended = new(TaskCreationOptions.RunContinuationsAsynchronously);

    private MqttConnection() => _client.DisconnectedAsync += _ =>
    {
        _ended.TrySetResult();
        return Task.CompletedTask;
    };

    public IMqttClient Client => _client;

    public static async Task<MqttConnection> ConnectAsync(MqttClientOptions options)
    {
        var connection = new MqttConnection();
        try
        {
            await connection._client.ConnectAsync(options, CancellationToken.None);
            return connection;
        }
        catch (Exception)
        {
            // Who could not connect has cleaned up when it says so.
            connection._client.Dispose();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            if (_client.IsConnected) await _client.DisconnectAsync(new MqttClientDisconnectOptions());
        }
        catch (Exception)
        {
            // The other side went first.
        }

        await _ended.Task.WaitAsync(EndLimit);
        _client.Dispose();
    }
}
