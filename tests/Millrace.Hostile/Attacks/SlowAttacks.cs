namespace Millrace.Hostile.Attacks;

/// <summary>Sockets that send their CONNECT a byte at a time, and hold on.</summary>
public sealed class SlowLoris : IAttack
{
    public string Name => "slow-loris CONNECT";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var sockets = new List<AttackSocket>();
        try
        {
            for (var i = 0; i < 50 * target.Scale; i++)
                sockets.Add(await AttackSocket.OpenAsync(target, random, stop));
            foreach (var each in Wire.Connect(target.AnyDevice(random), target.Key))
            {
                foreach (var socket in sockets) await socket.SendAsync([each], stop);
                await Task.Delay(TimeSpan.FromMilliseconds(250), TimeProvider.System, stop);
            }
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }
    }
}

/// <summary>Sockets that send a CONNECT as large as it may be, all but its end, and hold on.</summary>
public sealed class LargeUnfinished : IAttack
{
    private const int BodyBytes = 65_000;

    public string Name => "large unfinished CONNECT";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var sockets = new List<AttackSocket>();
        var most = new byte[BodyBytes];
        try
        {
            for (var i = 0; i < 50 * target.Scale; i++)
            {
                sockets.Add(await AttackSocket.OpenAsync(target, random, stop));
                await sockets[^1].SendAsync([0x10, 0xE8, 0xFB, 0x03, .. most[1..]], stop);
            }

            await Task.Delay(TimeSpan.FromSeconds(2), TimeProvider.System, stop);
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }
    }
}

/// <summary>Devices that ask for answers and never read one.</summary>
public sealed class SlowReader : IAttack
{
    public string Name => "slow reader";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var readers = Enumerable.Range(0, 5 * target.Scale).Select(_ => random.Next())
            .Select(seed => ReadNothingAsync(target, new Random(seed), stop));
        await Task.WhenAll(readers);
    }

    private static async Task ReadNothingAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        using var socket = await AttackSocket.OpenAsync(target, random, stop, receiveBytes: 4_096);
        await socket.SendAsync(
            Wire.Connect(target.AnyDevice(random), target.Key, clientId: $"c{random.Next()}"), stop);
        byte[] pings = [.. Enumerable.Repeat(Wire.Ping, 4_096).SelectMany(each => each)];
        using var enough = CancellationTokenSource.CreateLinkedTokenSource(stop);
        enough.CancelAfter(TimeSpan.FromSeconds(5));
        try
        {
            while (true) await socket.SendAsync(pings, enough.Token);
        }
        catch (OperationCanceledException) when (!stop.IsCancellationRequested)
        {
            // The server has stopped reading, which is what there is to see.
        }
    }
}

/// <summary>Devices that connect with a short keep-alive and are never heard of again.</summary>
public sealed class HalfOpen : IAttack
{
    public string Name => "half-open";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        var sockets = new List<AttackSocket>();
        try
        {
            for (var i = 0; i < 20 * target.Scale; i++)
                sockets.Add(await AttackSocket.LoginAsync(target, random, stop, keepAlive: 1));
            await Task.Delay(TimeSpan.FromSeconds(4), TimeProvider.System, stop);
        }
        finally
        {
            foreach (var socket in sockets) socket.Dispose();
        }
    }
}
