using System.Reflection;
using System.Runtime.InteropServices;

namespace Millrace.EventLog.Kafka.Native;

/// <summary>Finds the library that Confluent.Kafka brings for this system.</summary>
internal static class RdkafkaLibrary
{
    // The first one asks for libsasl2, the second for glibc alone, the third is for musl.
    private static readonly string[] Names = ["librdkafka", "centos8-librdkafka", "alpine-librdkafka"];

    public static void Register() => NativeLibrary.SetDllImportResolver(typeof(RdkafkaLibrary).Assembly, Resolve);

    private static nint Resolve(string name, Assembly assembly, DllImportSearchPath? path)
    {
        if (name != Rdkafka.Library) return 0;
        foreach (var candidate in Names)
        {
            if (NativeLibrary.TryLoad(candidate, assembly, path, out var library)) return library;
        }

        return 0;
    }
}
