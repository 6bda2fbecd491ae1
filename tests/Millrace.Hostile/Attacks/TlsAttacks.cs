using System.Net.Security;
using System.Security.Authentication;

namespace Millrace.Hostile.Attacks;

/// <summary>What is not TLS, or begins like it, at the TLS port.</summary>
public sealed class TlsGarbage : IAttack
{
    public string Name => "TLS garbage";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        if (target.TlsPort == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            return;
        }

        using var socket = await AttackSocket.OpenAsync(target, random, stop, tls: true);
        var bytes = new byte[random.Next(2_000)];
        random.NextBytes(bytes);
        byte[] beginning = random.Next(3) switch
        {
            0 => [],
            1 => [22, 3, 1, (byte)(bytes.Length >> 8), (byte)bytes.Length],
            _ => [22, 3, 1, 2, 0, 1, 0, 1, 252, 3, 3],
        };
        await socket.SendAsync([.. beginning, .. bytes], stop);
        await socket.ReadAsync(TimeSpan.FromMilliseconds(50), stop);
    }
}

/// <summary>Handshakes that break off, and sessions into which what is not TLS is cut.</summary>
public sealed class TlsBreaks : IAttack
{
    private static readonly TimeSpan HandshakeTime = TimeSpan.FromSeconds(1);

    public string Name => "TLS that breaks";

    public async Task StrikeAsync(AttackTarget target, Random random, CancellationToken stop)
    {
        if (target.TlsPort == 0)
        {
            await Task.Delay(Timeout.InfiniteTimeSpan, TimeProvider.System, stop);
            return;
        }

        using var socket = await AttackSocket.OpenAsync(target, random, stop, tls: true);
        await using var tls = new SslStream(socket.Stream, false, (_, _, _, _) => true);
        using var time = CancellationTokenSource.CreateLinkedTokenSource(stop);
        time.CancelAfter(random.Next(3) == 0 ? TimeSpan.FromMilliseconds(random.Next(5)) : HandshakeTime);
        try
        {
            await tls.AuthenticateAsClientAsync(
                new SslClientAuthenticationOptions { TargetHost = "localhost" }, time.Token);
            if (random.Next(2) == 0)
                await tls.WriteAsync(Wire.Connect(target.AnyDevice(random), target.Key), stop);
        }
        catch (Exception broken) when (broken is AuthenticationException or OperationCanceledException)
        {
            stop.ThrowIfCancellationRequested();
            return;
        }

        var bytes = new byte[random.Next(2_000)];
        random.NextBytes(bytes);
        byte[] record = [23, 3, 3, (byte)(bytes.Length >> 8), (byte)bytes.Length, .. bytes];
        await socket.SendAsync(random.Next(3) == 0 ? bytes : record[..random.Next(record.Length + 1)], stop);
        if (random.Next(2) == 0) await socket.ReadAsync(TimeSpan.FromMilliseconds(50), stop);
    }
}
