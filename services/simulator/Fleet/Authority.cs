using System.Security.Cryptography.X509Certificates;

namespace Millrace.Simulator.Fleet;

internal static class Authority
{
    /// <summary>The certificates of a PEM file, as the only ones that are trusted.</summary>
    public static X509Certificate2Collection Load(string file)
    {
        var trusted = new X509Certificate2Collection();
        trusted.ImportFromPemFile(file);
        return trusted;
    }
}
