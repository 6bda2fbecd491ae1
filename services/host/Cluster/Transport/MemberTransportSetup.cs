using System.Net;
using Akka.Actor.Setup;

namespace Millrace.Cluster.Transport;

/// <summary>What an actor system hands its <see cref="MemberTransport"/>.</summary>
internal sealed class MemberTransportSetup : Setup
{
    /// <summary>Where to listen.</summary>
    public required IPEndPoint Endpoint { get; init; }

    /// <summary>Under which name the others reach it, at the same port.</summary>
    public required string Host { get; init; }

    /// <summary>None where members show each other nothing.</summary>
    public required MemberCertificate? Certificate { get; init; }

    /// <summary>For a connection to be there, certificates shown.</summary>
    public required TimeSpan ConnectTimeMax { get; init; }
}
