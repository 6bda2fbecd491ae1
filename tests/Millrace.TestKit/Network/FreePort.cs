using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Millrace.TestKit.Network;

/// <summary>
/// A port of loopback for a process that takes no zero. No number is given twice, nor by two processes that run tests
/// at once: the port's UDP twin is held for as long as this one runs, which nothing here listens on.
/// </summary>
public static class FreePort
{
    // Below those that the system gives to outgoing connections, and beside those of the engines.
    private const int First = 10_000, End = 12_000;

    private static readonly Dictionary<int, Socket> Given = [];

    public static int Next()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            lock (Given)
            {
                if (Given.ContainsKey(port) || Claim(port) is not { } claim) continue;
                Given.Add(port, claim);
            }

            try
            {
                using var probe = new TcpListener(IPAddress.Loopback, port);
                probe.Start();
                return port;
            }
            catch (SocketException)
            {
                // Somebody listens there.
            }
        }
    }

    private static Socket? Claim(int port)
    {
        var claim = new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp)
        {
            ExclusiveAddressUse = true,
        };
        try
        {
            claim.Bind(new IPEndPoint(IPAddress.Loopback, port));
            return claim;
        }
        catch (SocketException)
        {
            claim.Dispose();
            return null;
        }
    }
}
