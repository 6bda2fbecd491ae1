using System.Buffers;
using System.IO.Pipelines;
using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Files;

namespace Millrace.Queries;

internal sealed record FileRunCounts(long Lines, long Rows, long Failed, long Dropped);

/// <summary>
/// Feeds the lines of files to an engine and its rows to files. Every partition that the lines name is a source of its
/// own, as live, so the files are looked through for their partitions first; memory holds one batch of each.
/// </summary>
internal sealed class FileRun(
    QueryPlan plan, QueryEngineOptions options, IReadOnlyDictionary<string, string> inputs, string outputFolder,
    bool stopOnError)
{
    private const int BatchLines = 512;

    private readonly Dictionary<TopicPartition, SourceLines> _sources = [];

    public async Task<FileRunCounts> ExecuteAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(outputFolder);
        foreach (var (name, file) in Used()) await FindPartitionsAsync(name, file, ct);
        using var rows = new FileRows(plan, outputFolder, stopOnError, LineOf);
        var engine = new QueryEngine(plan, options, [.. _sources.Select(s => new QuerySource(s.Key.Topic, s.Key, 0))],
            rows);
        foreach (var (name, file) in Used()) await FeedAsync(engine, rows, name, file, ct);
        engine.Complete();
        rows.Finish();
        return new FileRunCounts(_sources.Values.Sum(s => s.Next), rows.Rows, rows.FailedRows, rows.DroppedEvents);
    }

    private IEnumerable<(string Name, string File)> Used() => plan.Inputs.Select(name => (name, inputs[name]));

    private async Task FindPartitionsAsync(string name, string file, CancellationToken ct)
    {
        var found = new SortedSet<int> { };
        using var scratch = new RecordBatchBuilder();
        await foreach (var (line, _) in LinesAsync(file, ct))
        {
            if (FileLine.Append(line.Span, _ => scratch, out var partition) is null) found.Add(partition);
            scratch.Clear();
        }

        if (found.Count == 0) found.Add(0);
        foreach (var partition in found) _sources[new TopicPartition(name, partition)] = new SourceLines();
    }

    private async Task FeedAsync(QueryEngine engine, FileRows rows, string name, string file, CancellationToken ct)
    {
        await foreach (var (line, number) in LinesAsync(file, ct))
        {
            var error = FileLine.Append(line.Span, p =>
                _sources[new TopicPartition(name, p)].Builder, out var partition);
            if (error is not null)
            {
                rows.LineFailed(name, number, error.Code, error.ToString(), line.Span);
                continue;
            }

            var source = _sources[new TopicPartition(name, partition)];
            source.Numbers.Add(number);
            source.Keep(line);
            if (source.Builder.Count >= BatchLines) Flush(engine, new TopicPartition(name, partition));
        }

        foreach (var partition in _sources.Keys.Where(k => k.Topic == name)) Flush(engine, partition);
    }

    private void Flush(QueryEngine engine, TopicPartition partition)
    {
        var source = _sources[partition];
        if (source.Builder.Count == 0) return;
        var batch = new RecordBatch(partition, source.Next, source.Builder.Count, source.Builder.Bytes.ToArray());
        source.Next = batch.NextOffset;
        engine.Process(batch);
        source.Builder.Clear();
    }

    private (long Number, ReadOnlyMemory<byte> Line) LineOf(TopicPartition source, long offset)
    {
        var lines = _sources[source];
        return (lines.Numbers[(int)offset], lines.Line(offset));
    }

    /// <summary>Lines that are not blank, with their numbers from 1.</summary>
    private static async IAsyncEnumerable<(ReadOnlyMemory<byte> Line, long Number)> LinesAsync(
        string file, [System.Runtime.CompilerServices.EnumeratorCancellation] CancellationToken ct)
    {
        await using var stream = File.OpenRead(file);
        var reader = PipeReader.Create(stream, new StreamPipeReaderOptions(bufferSize: 1 << 16));
        var number = 0L;
        while (true)
        {
            var read = await reader.ReadAsync(ct);
            var buffer = read.Buffer;
            while (Take(ref buffer, read.IsCompleted, out var line))
            {
                number++;
                if (!line.Span.IsWhiteSpace()) yield return (line, number);
            }

            reader.AdvanceTo(buffer.Start, buffer.End);
            if (read.IsCompleted) yield break;
        }
    }

    private static bool Take(ref ReadOnlySequence<byte> buffer, bool last, out ReadOnlyMemory<byte> line)
    {
        var end = buffer.PositionOf((byte)'\n');
        line = default;
        if (end is null && (!last || buffer.IsEmpty)) return false;
        var part = end is { } position ? buffer.Slice(0, position) : buffer;
        line = part.IsSingleSegment ? part.First : part.ToArray();
        if (line.Length > 0 && line.Span[^1] == '\r') line = line[..^1];
        buffer = end is { } after ? buffer.Slice(buffer.GetPosition(1, after)) : buffer.Slice(buffer.End);
        return true;
    }

    /// <summary>Lines of one source on their way. Line numbers are kept for errors; line texts while a batch holds
    /// them.</summary>
    private sealed class SourceLines
    {
        private readonly Dictionary<long, byte[]> _texts = [];

        public RecordBatchBuilder Builder { get; } = new();

        public List<long> Numbers { get; } = [];

        public long Next { get; set; }

        public void Keep(ReadOnlyMemory<byte> line)
        {
            var offset = Numbers.Count - 1;
            _texts[offset] = line.ToArray();
            _texts.Remove(offset - (4 * BatchLines));
        }

        /// <summary>The line's text; empty for a row that waited so long that it was let go of.</summary>
        public ReadOnlyMemory<byte> Line(long offset) => _texts.GetValueOrDefault(offset);
    }
}

internal static class Blank
{
    public static bool IsWhiteSpace(this ReadOnlySpan<byte> line) => line.IndexOfAnyExcept(" \t\r"u8) < 0;
}
