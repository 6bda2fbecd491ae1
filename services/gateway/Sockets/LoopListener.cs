using System.Net;
using System.Net.Sockets;
using Microsoft.AspNetCore.Connections;
using Microsoft.Extensions.Logging;
using Millrace.Gateway.Listeners;

namespace Millrace.Gateway.Sockets;

/// <summary>A listener on loops of our own: one thread accepts, and gives each connection to the next loop.</summary>
internal sealed class LoopListener : IDisposable
{
    /// <summary>What is done with a connection that was admitted, and may have to wait that long.</summary>
    public delegate void Entrance(LoopSocket socket, IPAddress? address, TimeSpan wait);

    private const int Backlog = 4_096;
    private static readonly TimeSpan RetryPause = TimeSpan.FromMilliseconds(100);

    private readonly ManualResetEventSlim _stopped = new();
    private readonly MqttConnectionHandler _handler;
    private readonly Entrance _enter;
    private readonly ILogger _log;
    private readonly Socket _listener;
    private readonly Thread _accepting;
    private readonly EventLoop[] _loops;

    /// <summary>Listens from now on.</summary>
    /// <param name="help">What a loop does at the end of each turn.</param>
    public LoopListener(
        string scheme, IPEndPoint address, int loops, MqttConnectionHandler handler, Entrance enter, Action help,
        ILogger log)
    {
        (_handler, _enter, _log) = (handler, enter, log);
        _listener = Listen(scheme, address);
        EndPoint = (IPEndPoint)_listener.LocalEndPoint!;
        _loops = [.. Enumerable.Range(0, loops)
            .Select(number => new EventLoop($"millrace-{scheme}-{number}", help, log))];
        _accepting = new Thread(Accept) { IsBackground = true, Name = $"millrace-{scheme}-accept" };
        _accepting.Start();
    }

    public IPEndPoint EndPoint { get; }

    public void StopListening()
    {
        if (_stopped.IsSet) return;
        _stopped.Set();

        // The thread that accepts is in a call that only this ends.
        _ = Posix.Shutdown((int)_listener.Handle, Posix.ShutdownBoth);
        _accepting.Join();
        _listener.Dispose();
    }

    /// <summary>Ends the loops: no connection of theirs is left by then.</summary>
    public void Dispose()
    {
        StopListening();
        foreach (var loop in _loops) loop.Dispose();
        _stopped.Dispose();
    }

    private static Socket Listen(string scheme, IPEndPoint address)
    {
        var socket = new Socket(address.AddressFamily, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            if (address.Address.Equals(IPAddress.IPv6Any)) socket.DualMode = true;
            socket.Bind(address);
            socket.Listen(Backlog);
            return socket;
        }
        catch (SocketException cause)
        {
            socket.Dispose();
            if (cause.SocketErrorCode != SocketError.AddressAlreadyInUse) throw;
            var message = $"Failed to bind to address {scheme}://{address}: address already in use.";
            throw new IOException(message, new AddressInUseException(cause.Message, cause));
        }
    }

    private void Accept()
    {
        for (var next = 0; !_stopped.IsSet; next = (next + 1) % _loops.Length)
        {
            var descriptor = Posix.Accept((int)_listener.Handle, out var address);
            if (descriptor >= 0) Enter(descriptor, address, _loops[next]);
            else if (ShortageOf(Posix.Errno) is { } shortage) Pause(shortage);
        }
    }

    /// <summary>What the system has none left of; null when the error is one connection's.</summary>
    internal static string? ShortageOf(int error) => error switch
    {
        Posix.ManyFiles or Posix.ManyFilesHere => "there are as many open files as the system allows",
        Posix.NoMemory or Posix.NoBuffers => "the system has no memory left for sockets",
        _ => null,
    };

    /// <summary>There is nothing to do but to wait until connections end.</summary>
    private void Pause(string shortage)
    {
        _log.AcceptFails(shortage);
        _stopped.Wait(RetryPause);
    }

    private void Enter(int descriptor, IPAddress? address, EventLoop loop)
    {
        if (!_handler.TryAdmit(out var wait))
        {
            _ = Posix.Close(descriptor);
            return;
        }

        Posix.SendAtOnce(descriptor);
        _enter(new LoopSocket(loop, descriptor), address, wait);
    }
}
