using Microsoft.Extensions.Logging;

namespace Millrace.Stores.Cassandra;

internal static partial class Log
{
    [LoggerMessage(3300, LogLevel.Warning,
        "Cassandra at {ContactPoints} does not answer ({Error}); trying again, {Seconds} s so far")]
    public static partial void WaitingForCluster(
        this ILogger log, string contactPoints, string error, int seconds);

    [LoggerMessage(3301, LogLevel.Information,
        "Cassandra at {ContactPoints} answers: {Nodes} nodes, data centre {Datacenter}, keyspace {Keyspace}")]
    public static partial void ClusterAnswers(
        this ILogger log, string contactPoints, int nodes, string datacenter, string keyspace);

    [LoggerMessage(3302, LogLevel.Information, "Keyspace {Keyspace} made with replication {Replication}")]
    public static partial void KeyspaceMade(this ILogger log, string keyspace, string replication);

    [LoggerMessage(3303, LogLevel.Information, "Migration {Number} ({Name}) of keyspace {Keyspace} done")]
    public static partial void MigrationDone(this ILogger log, int number, string name, string keyspace);

    [LoggerMessage(3304, LogLevel.Information, "Another process changes the tables of keyspace {Keyspace}; waiting")]
    public static partial void WaitsForMigrations(this ILogger log, string keyspace);

    [LoggerMessage(3305, LogLevel.Warning, "Cassandra at {ContactPoints} has commitlog_sync: periodic; what it has "
        + "acknowledged in the last moments is lost when a quorum of its nodes die together. Set it to batch or group")]
    public static partial void CommitLogPeriodic(this ILogger log, string contactPoints);

    [LoggerMessage(3306, LogLevel.Information,
        "Cassandra at {ContactPoints} does not say how its commit log is synced ({Error})")]
    public static partial void CommitLogUnknown(this ILogger log, string contactPoints, string error);

    [LoggerMessage(3307, LogLevel.Error, "{Error} Trying again, {Seconds} s so far")]
    public static partial void AccessRefused(this ILogger log, string error, int seconds);

    [LoggerMessage(3308, LogLevel.Warning, "Keyspace {Keyspace} has schema {Schema} of a newer version; this one knows "
        + "{Known}, and works with it until the upgrade is finalised")]
    public static partial void SchemaIsNewer(this ILogger log, string keyspace, int schema, int known);

    [LoggerMessage(3309, LogLevel.Information,
        "Upgrade of keyspace {Keyspace} finalised: versions that do not know schema {Schema} are refused")]
    public static partial void UpgradeFinalised(this ILogger log, string keyspace, int schema);

    [LoggerMessage(3310, LogLevel.Information,
        "Cassandra does not say when keyspace {Keyspace} was repaired ({Error})")]
    public static partial void RepairsUnknown(this ILogger log, string keyspace, string error);

    [LoggerMessage(3320, LogLevel.Information,
        "Telemetry lies in buckets of {Bucket} and {Shards} shards for event times from {From:u} on")]
    public static partial void LayoutRecorded(this ILogger log, string bucket, int shards, DateTimeOffset from);

    [LoggerMessage(3322, LogLevel.Warning,
        "Buckets of {Bucket} and {Shards} shards are not recorded, and telemetry lies as before: the clock here is "
        + "{Seconds} s ahead of that of a Cassandra node. Set the clocks right; it is tried again every minute")]
    public static partial void LayoutUnrecorded(this ILogger log, string bucket, int shards, long seconds);

    [LoggerMessage(3321, LogLevel.Warning,
        "Partition (shard {Shard}, bucket {Bucket:u}) of telemetry passes {BytesMax} bytes, at a row of {DeviceId}; " +
        "choose a shorter Cassandra:Telemetry:Bucket or more Shards, or lower the limits of devices")]
    public static partial void PartitionOversized(
        this ILogger log, int shard, DateTimeOffset bucket, long bytesMax, string deviceId);
}
