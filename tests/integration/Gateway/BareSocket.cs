using System.Net;
using System.Net.Sockets;

namespace Millrace.Integration.Tests.Gateway;

/// <summary>A socket that comes to a port of the gateway's, which may close it as soon as it was accepted.</summary>
internal static class BareSocket
{
    public static async Task<Socket> OpenAsync(int port)
    {
        var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        try
        {
            await socket.ConnectAsync(IPAddress.Loopback, port);
        }
        catch (SocketException reset)
            when (reset.SocketErrorCode is SocketError.ConnectionReset or SocketError.Shutdown)
        {
            // It is closed already.
        }

        return socket;
    }

    /// <summary>Waits until the gateway has closed it, whatever it says before.</summary>
    public static async Task EndAsync(Socket socket)
    {
        using var timeout = new CancellationTokenSource(TimeSpan.FromSeconds(20), TimeProvider.System);
        try
        {
            var buffer = new byte[4_096];
            while (await socket.ReceiveAsync(buffer, timeout.Token) > 0)
            {
            }
        }
        catch (SocketException)
        {
            // A reset is an end too.
        }
        finally
        {
            socket.Dispose();
        }
    }
}
