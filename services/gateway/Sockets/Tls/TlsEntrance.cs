using System.Buffers;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Options;
using Millrace.Gateway.Limits;
using Millrace.Gateway.Listeners;

namespace Millrace.Gateway.Sockets.Tls;

/// <summary>
/// From a socket that has just been accepted to a connection over TLS. The loop receives for the handshake, which the
/// thread pool then goes on with: a signature takes as long as a hundred publishes.
/// </summary>
internal sealed class TlsEntrance(
    IOptions<GatewayOptions> options, HandshakeGate gate, MqttConnectionHandler handler, GatewayMetrics metrics,
    TimeProvider time, ILogger<TlsEntrance> log, ILogger<ServerCertificate> certificateLog) : IDisposable
{
    private static readonly TimeSpan StopTime = TimeSpan.FromSeconds(1);

    private readonly CancellationTokenSource _stop = new();
    private readonly CountdownEvent _entering = new(1);
    private ServerCertificate? _certificate;

    private TimeSpan HandshakeTimeout => options.Value.Mqtts.HandshakeTimeout;

    /// <summary>GW-0001 when the certificate cannot be used.</summary>
    public void Start() => _certificate = new ServerCertificate(
        "mqtts", options.Value.Mqtts, isOnLoops: true, time, metrics, certificateLog);

    /// <summary>Handshakes that are under way end.</summary>
    public void Stop() => _stop.Cancel();

    public void Enter(LoopSocket socket, IPAddress? address, TimeSpan wait)
    {
        _entering.AddCount();
        socket.Start();
        _ = EnterAsync(socket, address, wait);
    }

    public void Dispose()
    {
        Stop();
        if (!_entering.IsSet) _entering.Signal();
        _entering.Wait(StopTime);
    }

    private async Task EnterAsync(LoopSocket socket, IPAddress? address, TimeSpan wait)
    {
        var hasEntered = false;
        try
        {
            await using var registration = _stop.Token.UnsafeRegister(static it => ((LoopSocket)it!).Abort(), socket);
            await gate.PassAsync(socket.Input, socket.Abort, wait, HandshakeTimeout, async passage =>
            {
                var (isSecure, certificate) = await TrySecureAsync(socket).ConfigureAwait(false);
                if (!isSecure) return;
                passage.Succeed();
                hasEntered = handler.TryRun(socket, certificate, socket.Abort, address, TimeSpan.Zero) is not null;
            }, _stop.Token).ConfigureAwait(false);
        }
        catch (Exception failure)
        {
            log.ConnectionFailed(failure);
            socket.Abort();
        }
        finally
        {
            if (!hasEntered) socket.CompleteBoth();
            _entering.Signal();
        }
    }

    private async Task<(bool IsSecure, X509Certificate2? Certificate)> TrySecureAsync(LoopSocket socket)
    {
        var tls = _certificate!.OnLoops.Open(socket.Descriptor);
        try
        {
            if (!await TryShakeHandsAsync(socket, tls).ConfigureAwait(false)) return default;
            var certificate = tls.PeerCertificate();
            socket.Secure(tls);
            tls = null;
            return (true, certificate);
        }
        catch (CryptographicException unreadable)
        {
            log.HandshakeFailed(unreadable.Message);
            return default;
        }
        finally
        {
            tls?.Dispose();
        }
    }

    private async Task<bool> TryShakeHandsAsync(LoopSocket socket, TlsSession tls)
    {
        await using var timeout = time.CreateTimer(static socket => ((LoopSocket)socket!).Abort(), socket,
            HandshakeTimeout, Timeout.InfiniteTimeSpan);
        while (true)
        {
            // The loop's buffer is not kept while another thread works.
            var read = await socket.Input.ReadAsync().ConfigureAwait(false);
            var received = read.Buffer.ToArray();
            socket.Input.AdvanceTo(read.Buffer.End);
            if (received.Length == 0) return false;
            await Task.CompletedTask.ConfigureAwait(ConfigureAwaitOptions.ForceYielding);
            var step = tls.ShakeHands(received, out var answer);
            if (!answer.IsEmpty) await socket.Output.WriteAsync(answer).ConfigureAwait(false);
            if (step == HandshakeStep.Failed) log.HandshakeFailed(tls.Failure);
            if (step != HandshakeStep.More) return step == HandshakeStep.Done;
        }
    }
}
