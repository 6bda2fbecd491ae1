using Microsoft.Extensions.Options;
using Millrace.Cql;
using Millrace.EventLog;
using Millrace.Stores.Cassandra.Telemetry;

namespace Millrace.Stores.Cassandra;

/// <summary>Checks what attributes cannot say, when the stores are on Cassandra.</summary>
internal sealed class CassandraOptionsValidator(IOptions<StoreOptions> stores, IOptions<EventLogOptions> log)
    : IValidateOptions<CassandraOptions>
{
    private const string Section = "Cassandra";
    private const int ReplicasMax = 15;

    private static readonly Consistency[] Allowed =
        [Consistency.One, Consistency.LocalOne, Consistency.LocalQuorum, Consistency.Quorum, Consistency.All];

    public ValidateOptionsResult Validate(string? name, CassandraOptions options)
    {
        if (stores.Value.Kind != StoreKind.Cassandra) return ValidateOptionsResult.Success;
        List<string> failures =
        [
            .. General(options), .. Security(options.Security),
            .. CassandraTelemetryOptionsValidator.Failures(options.Telemetry, log.Value.TimeAheadMax),
        ];
        return failures.Count == 0 ? ValidateOptionsResult.Success : ValidateOptionsResult.Fail(failures);
    }

    private static IEnumerable<string> General(CassandraOptions options)
    {
        if (options.Points.Count == 0)
            yield return $"{Section}:{nameof(options.ContactPoints)} is missing; name some nodes.";
        foreach (var (datacenter, factor) in options.Replication)
        {
            if (factor is < 1 or > ReplicasMax)
            {
                yield return $"{Section}:{nameof(options.Replication)}:{datacenter} is {factor}; choose from 1 to "
                    + $"{ReplicasMax}.";
            }

            if (datacenter.Contains('\''))
                yield return $"{Section}:{nameof(options.Replication)}:{datacenter} is no name of a data centre.";
        }

        if (!Allowed.Contains(options.Consistency))
        {
            yield return $"{Section}:{nameof(options.Consistency)} is {options.Consistency}; choose from "
                + $"{string.Join(", ", Allowed)}.";
        }

        if (options.RequestTimeout < TimeSpan.FromSeconds(1) || options.RequestTimeout > TimeSpan.FromMinutes(5))
        {
            yield return $"{Section}:{nameof(options.RequestTimeout)} is {options.RequestTimeout}; choose from 1s to "
                + "5m.";
        }

        if (options.RepairCheckInterval < TimeSpan.FromSeconds(1) || options.RepairCheckInterval > TimeSpan.FromDays(1))
        {
            yield return $"{Section}:{nameof(options.RepairCheckInterval)} is {options.RepairCheckInterval}; choose "
                + "from 1s to 1d.";
        }
    }

    private static IEnumerable<string> Security(CassandraSecurityOptions options)
    {
        (string Key, string? Path)[] files =
        [
            (nameof(options.CaFile), options.CaFile), (nameof(options.CertificateFile), options.CertificateFile),
            (nameof(options.KeyFile), options.KeyFile), (nameof(options.PasswordFile), options.PasswordFile),
        ];
        foreach (var (key, path) in files.Where(file => file.Path is not null && !File.Exists(file.Path)))
            yield return $"{Section}:Security:{key} is '{path}', which is no file.";
        if (!options.Tls && (options.CaFile ?? options.CertificateFile ?? options.ServerName) is not null)
            yield return $"{Section}:Security:{nameof(options.Tls)} is false, so that certificates mean nothing.";
        if (options.CertificateFile is null != options.KeyFile is null)
        {
            yield return $"{Section}:Security:{nameof(options.CertificateFile)} and {nameof(options.KeyFile)} go "
                + "together.";
        }

        if (options.UserName is null != options.PasswordFile is null)
        {
            yield return $"{Section}:Security:{nameof(options.UserName)} and {nameof(options.PasswordFile)} go "
                + "together.";
        }
    }
}
