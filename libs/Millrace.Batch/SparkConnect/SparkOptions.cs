using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.Batch.SparkConnect;

/// <summary>The Spark cluster that runs SQL and jobs, for Batch:Kind = Spark. Section <c>Spark</c>.</summary>
public sealed class SparkOptions
{
    /// <summary>
    /// Where Spark Connect listens: sc://host:port, with values such as /;use_ssl=true;user_id=millrace after it.
    /// </summary>
    public string Remote { get; set; } = "";

    /// <summary>A file with the bearer token, instead of a token in <see cref="Remote"/>.</summary>
    public string? TokenFile { get; set; }

    /// <summary>
    /// The certificates of the authorities that may have signed the server's, in PEM; null is the system's.
    /// </summary>
    public string? CaFile { get; set; }

    /// <summary>The user that sessions are for, unless <see cref="Remote"/> says one.</summary>
    [Required]
    public string User { get; set; } = "millrace";

    /// <summary>
    /// Where Spark finds the object store, such as s3a://bucket/prefix. Null: where its files lie, which Spark must see
    /// at the same path.
    /// </summary>
    public string? ArchiveRoot { get; set; }

    /// <summary>The most files that one statement reads.</summary>
    [Range(1, 10_000_000)]
    public int FilesMax { get; set; } = 20_000;

    /// <summary>The largest message of the server, which is a batch of rows.</summary>
    public ByteSize MessageMax { get; set; } = ByteSize.FromMiB(128);

    /// <summary>How often in a row a broken connection is taken up again before the statement fails.</summary>
    [Range(0, 1000)]
    public int ReattachAttemptsMax { get; set; } = 8;

    /// <summary>How long to wait before the first of these; doubles each time.</summary>
    [Range(typeof(TimeSpan), "00:00:00.001", "00:01:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan ReattachDelay { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>How long a short request (settings, interruption, release) may take.</summary>
    [Range(typeof(TimeSpan), "00:00:00.100", "00:10:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan RequestTimeout { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>
    /// A connection whose server does not answer a ping for so long is broken, even though nobody closed it.
    /// </summary>
    [Range(typeof(TimeSpan), "00:00:01", "01:00:00", ConvertValueInInvariantCulture = true,
        ParseLimitsInInvariantCulture = true)]
    public TimeSpan PingTimeout { get; set; } = TimeSpan.FromSeconds(20);
}
