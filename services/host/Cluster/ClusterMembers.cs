using System.Globalization;
using Akka.Actor;
using Akka.Cluster;
using Millrace.Hosting.Node;
using Member = Millrace.Hosting.Node.Member;

namespace Millrace.Cluster;

/// <summary>Members tell each other which schema of the stores they know: as their application's version.</summary>
/// <param name="system">None where there is no cluster.</param>
internal sealed class ClusterMembers(ActorSystem? system) : IMembers
{
    private const string Suffix = "-schema";

    public IReadOnlyList<Member>? Current
    {
        get
        {
            if (system is null) return [];
            var cluster = Akka.Cluster.Cluster.Get(system);
            if (cluster.SelfMember.Status != MemberStatus.Up) return null;
            return [.. cluster.State.Members.Select(member =>
                new Member($"{member.Address.Host}:{member.Address.Port}", SchemaOf(member.AppVersion.Version)))];
        }
    }

    public static string VersionOf(int schema) => $"{schema.ToString(CultureInfo.InvariantCulture)}{Suffix}";

    /// <summary>0 for what an earlier version says instead: that of its assembly.</summary>
    private static int SchemaOf(string version) => version.EndsWith(Suffix, StringComparison.Ordinal)
        && int.TryParse(version[..^Suffix.Length], NumberStyles.None, CultureInfo.InvariantCulture, out var schema)
            ? schema : 0;
}
