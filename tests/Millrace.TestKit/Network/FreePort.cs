using System.Net;
using System.Net.Sockets;
using System.Security.Cryptography;

namespace Millrace.TestKit.Network;

/// <summary>A port of loopback for a process that takes no zero. No number is given twice.</summary>
public static class FreePort
{
    // Below those that the system gives to outgoing connections, and beside those of the engines.
    private const int First = 10_000, End = 12_000;

    private static readonly HashSet<int> Given = [];

    public static int Next()
    {
        while (true)
        {
            var port = RandomNumberGenerator.GetInt32(First, End);
            lock (Given)
            {
                if (!Given.Add(port)) continue;
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
}
