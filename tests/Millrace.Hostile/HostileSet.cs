using System.Collections.Concurrent;
using System.Net.Sockets;
using Millrace.Hostile.Attacks;

namespace Millrace.Hostile;

/// <summary>All attacks at the same time. What they do follows from the seed; when they do it does not.</summary>
public static class HostileSet
{
    public static IReadOnlyList<IAttack> All { get; } =
    [
        new GrammarFuzz(), new MutationFuzz(), new WrongUtf8(), new Oversized(), new IdAbuse(), new ExchangeAbuse(),
        new SlowLoris(), new LargeUnfinished(), new SlowReader(), new HalfOpen(), new ConnectFlood(),
        new ReconnectStorm(), new Guessing(), new TlsGarbage(), new TlsBreaks(), new PublishFlood(),
    ];

    /// <summary>Runs until it is stopped, and gives how often each attack has struck.</summary>
    public static async Task<IReadOnlyDictionary<string, int>> RunAsync(
        AttackTarget target, int seed, CancellationToken stop, IReadOnlyList<IAttack>? attacks = null)
    {
        var strikes = new ConcurrentDictionary<string, int>();
        await Task.WhenAll((attacks ?? All).Select((attack, i) => Task.Run(async () =>
        {
            var random = new Random(seed + i);
            strikes[attack.Name] = 0;
            while (!stop.IsCancellationRequested)
            {
                if (!await TryStrikeAsync(attack, target, random, stop)) break;
                strikes[attack.Name]++;
            }
        }, CancellationToken.None)));
        return strikes;
    }

    /// <summary>False when it was stopped.</summary>
    private static async Task<bool> TryStrikeAsync(
        IAttack attack, AttackTarget target, Random random, CancellationToken stop)
    {
        try
        {
            await target.Share.WaitAsync(stop);
            await attack.StrikeAsync(target, random, stop);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return false;
        }
        catch (Exception ended) when (ended is SocketException or IOException)
        {
            // The server has ended it, as it should.
        }

        return true;
    }
}
