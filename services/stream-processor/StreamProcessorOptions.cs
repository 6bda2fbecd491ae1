using System.ComponentModel.DataAnnotations;
using Millrace.Primitives;

namespace Millrace.StreamProcessor;

/// <summary>How streams run. Section "StreamProcessor".</summary>
public sealed class StreamProcessorOptions
{
    /// <summary>How much is read from a partition at once.</summary>
    public ByteSize ReadBytesMax { get; set; } = ByteSize.FromKiB(64);

    /// <summary>
    /// How much of what one query decoded of a partition is kept for the others that read it; 0: each decodes alone.
    /// </summary>
    public ByteSize SharedFieldsBytesMax { get; set; } = ByteSize.FromMiB(4);

    /// <summary>How many records the warm writer puts into one transaction at most.</summary>
    [Range(1, 1_000_000)]
    public int WarmRowsMax { get; set; } = 10_000;

    /// <summary>
    /// How many bytes of records of a partition gather for the warm writer's next transaction, beside the one that is
    /// under way; a read that is larger goes alone.
    /// </summary>
    public ByteSize WarmBytesMax { get; set; } = ByteSize.FromMiB(16);

    /// <summary>
    /// An expression of the query language that gives a row's position, such as <c>CreatePoint(gps.lat, gps.lon)</c> or
    /// the name of a field with <c>lat|lon|alt</c>; null keeps no positions.
    /// </summary>
    public string? Position { get; set; }

    /// <summary>The longest time between two checkpoints of a query that goes on.</summary>
    public TimeSpan CheckpointInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How many records a query takes at most between two checkpoints.</summary>
    [Range(1, 1_000_000_000)]
    public long CheckpointRecords { get; set; } = 1_000_000;

    /// <summary>
    /// How much the windows, joins and other state of a query that says no limit of its own may hold at one place; more
    /// stops it.
    /// </summary>
    public ByteSize QueryStateBytesMax { get; set; } = ByteSize.FromMiB(512);

    /// <summary>
    /// How long a regular expression may take for a row that goes back and forth (it looks around or back, or leaves
    /// much open); then the row fails (SQ-0114). Others run in linear time, and may take 20 times as long.
    /// </summary>
    public TimeSpan PatternTimeMax { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>
    /// How much the rows may have together that a query makes of one read for one partition of an output; more stops it
    /// (SP-0017). Up to 1GiB.
    /// </summary>
    public ByteSize ReadRowsBytesMax { get; set; } = ByteSize.FromMiB(256);

    /// <summary>
    /// How much of the log the letters of one record's failing rows may take, each with the record in full; of more,
    /// one letter says how many there were (SP-0015).
    /// </summary>
    public ByteSize RecordLettersBytesMax { get; set; } = ByteSize.FromMiB(1);

    /// <summary>
    /// How often reference data that a query joins with, and models that it scores with, are looked at for changes.
    /// </summary>
    public TimeSpan ReferenceInterval { get; set; } = TimeSpan.FromSeconds(10);

    /// <summary>
    /// How much reference data of one name may have; more is not read, and what was read before stays.
    /// </summary>
    public ByteSize ReferenceBytesMax { get; set; } = ByteSize.FromMiB(256);

    /// <summary>How long a partition has nothing new before a query that waits for it counts it as idle.</summary>
    public TimeSpan IdleAfter { get; set; } = TimeSpan.FromSeconds(1);

    /// <summary>How far an idle mark stays behind the clock, so that records on their way are not overtaken.</summary>
    public TimeSpan IdleGrace { get; set; } = TimeSpan.FromMilliseconds(500);

    /// <summary>How often queries look at the clock: for idle partitions, checkpoints and their status.</summary>
    public TimeSpan TickInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>
    /// How often a partition tells all places of a query that is answered by key how far it is.
    /// </summary>
    public TimeSpan WatermarkInterval { get; set; } = TimeSpan.FromMilliseconds(250);

    /// <summary>How often a query writes its status.</summary>
    public TimeSpan StatusInterval { get; set; } = TimeSpan.FromSeconds(2);

    /// <summary>How often the stored queries are looked at, in case a notice was lost.</summary>
    public TimeSpan ReconcileInterval { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>How long an owner whose place another took over waits before it asks for it again.</summary>
    public TimeSpan StalePause { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>The first wait before a failed stream starts again; it doubles.</summary>
    public TimeSpan RestartDelayMin { get; set; } = TimeSpan.FromMilliseconds(100);

    /// <summary>The longest wait before a failed stream starts again.</summary>
    public TimeSpan RestartDelayMax { get; set; } = TimeSpan.FromSeconds(10);
}
