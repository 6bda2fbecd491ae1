using System.Net.Sockets;

namespace Millrace.Hostile.Attacks;

/// <summary>As many sockets as there can be, at once; some say something, none of it good.</summary>
public sealed class ConnectFlood : IAttack
{
    /// <summary>Few, so that the other attacks get their turn in the attackers' share of the processor.</summary>
    private const int Hands = 16;

    public string Name => "connects at once";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var sockets = new List<AttackSocket?>[Hands];
        await Task.WhenAll(Enumerable.Range(0, Hands).Select(hand => OpenAsync(sockets[hand] = [], random.Next())));
        await Task.Delay(TimeSpan.FromSeconds(1), TimeProvider.System, CancellationToken.None);
        foreach (var socket in sockets.SelectMany(each => each)) socket?.Dispose();

        async Task OpenAsync(List<AttackSocket?> opened, int seed)
        {
            var own = new Random(seed);
            for (var i = 0; i < 200 * target.Scale / Hands && !stop.IsCancellationRequested; i++)
                opened.Add(await TryOpenAsync(target, own, stop));
        }
    }

    private static async Task<AttackSocket?> TryOpenAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        try
        {
            var socket = await AttackSocket.OpenAsync(target, random, stop);
            if (random.Next(2) == 0) await socket.SendAsync(Wire.Ping, stop);
            return socket;
        }
        catch (Exception ended) when (ended is SocketException or OperationCanceledException)
        {
            return null;
        }
    }
}

/// <summary>A whole fleet that connects, is lost, and comes back at once.</summary>
public sealed class ReconnectStorm : IAttack
{
    public string Name => "reconnect storm";

    public Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop) =>
        Task.WhenAll(Enumerable.Range(0, target.Devices).Select(async i =>
        {
            try
            {
                using var socket = await AttackSocket.OpenAsync(target, new Random(i), stop);
                await socket.SendAsync(Wire.Connect(AttackTarget.Device(i), target.Key), stop);
                await socket.ReadAsync(TimeSpan.FromMilliseconds(100), stop);
            }
            catch (SocketException)
            {
                // Refused or ended; the others go on.
            }
        }));
}

/// <summary>Keys that are guessed, at devices that are there and at some that are not.</summary>
public sealed class Guessing : IAttack
{
    public string Name => "credential guessing";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var device = random.Next(2) == 0 ? target.AnyDevice(random) : $"nobody-{random.Next(1_000)}";
        using var socket = await AttackSocket.OpenAsync(target, random, stop);
        await socket.SendAsync(Wire.Connect(device, $"guess-{random.Next()}"), stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(100), stop);
    }
}

/// <summary>A device that sends what it likes as fast as it can, in bodies of all sizes.</summary>
public sealed class PublishFlood : IAttack
{
    public string Name => "publish flood";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        using var socket = await AttackSocket.LoginAsync(target, random, stop, level: 4);
        var body = new byte[random.Next(200)];
        byte[] burst = [.. Enumerable.Range(1, 200).SelectMany(id => Wire.Publish("telemetry", id, body, 1, null, 4))];
        for (var i = 0; i < 20; i++)
        {
            await socket.SendAsync(burst, stop);
            await socket.ReadAsync(TimeSpan.FromMilliseconds(5), stop);
        }
    }
}
