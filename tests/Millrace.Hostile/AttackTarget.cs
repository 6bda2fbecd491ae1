using System.Net;

namespace Millrace.Hostile;

/// <summary>What is attacked, and the devices whose keys the attackers have: evil-0, evil-1 and so on.</summary>
/// <param name="TlsPort">0: there is none.</param>
/// <param name="Scale">How many sockets the attacks that need many open; 1 is few.</param>
public sealed record AttackTarget(int Port, int TlsPort, string Key, int Devices, CpuShare Share, int Scale = 1)
{
    public static string Device(int number) => $"evil-{number}";

    public string AnyDevice(Random random) => Device(random.Next(Devices));

    /// <summary>Somewhere in 127/8, so that not all attackers are one.</summary>
    public static IPAddress AnyAddress(Random random) =>
        new([127, (byte)random.Next(1, 250), (byte)random.Next(1, 250), (byte)random.Next(1, 250)]);
}
