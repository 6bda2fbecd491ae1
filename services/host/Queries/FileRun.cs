using Millrace.Contracts;
using Millrace.Saql;
using Millrace.Saql.Extensions;
using Millrace.Saql.Files;
using Millrace.Saql.Models;

namespace Millrace.Queries;

internal sealed record FileRunCounts(long Lines, long Rows, long Failed, long Dropped)
{
    /// <summary>By the name of reference data.</summary>
    public required IReadOnlyDictionary<string, EntriesLeftOut> LeftOut { get; init; }
}

/// <summary>
/// Feeds the lines of files to an engine and its rows to files. Every partition that the lines name is a source of its
/// own, as live, so the files are looked through for their partitions first; memory holds one batch of each.
/// </summary>
internal sealed class FileRun(
    QueryPlan plan, QueryExtensions extensions, QueryEngineOptions options, IReadOnlyDictionary<string, string> inputs,
    IReadOnlyDictionary<string, string> references, IReadOnlyDictionary<string, IModelScorer> models,
    string outputFolder, bool stopOnError)
{
    private const int BatchLines = 512;

    private readonly Dictionary<TopicPartition, SourceLines> _sources = [];
    private readonly Dictionary<string, string> _files = [];
    private readonly HashSet<string> _untyped = [];

    public async Task<FileRunCounts> ExecuteAsync(CancellationToken ct)
    {
        Directory.CreateDirectory(outputFolder);
        using var files = new InputFiles(extensions);
        foreach (var name in plan.Inputs)
        {
            _files[name] = await files.LinesOfAsync(name, inputs[name], ct);
            if (files.IsUntyped(name, inputs[name])) _untyped.Add(name);
        }

        foreach (var (name, file) in Used()) await FindPartitionsAsync(name, file, ct);
        using var rows = new FileRows(plan, outputFolder, stopOnError, LineOf);
        var engine = new QueryEngine(plan, options, [.. _sources.Keys.Select(source =>
            new QuerySource(source.Topic, source, 0) { IsFile = true })],
            rows);
        foreach (var name in plan.Models) engine.SetModel(name, models[name]);
        var leftOut = new Dictionary<string, EntriesLeftOut>();
        foreach (var name in plan.References)
        {
            leftOut[name] = engine.SetReference(name, ReferenceFile.Entries(
                await File.ReadAllBytesAsync(references[name], ct), references[name]));
        }

        foreach (var (name, file) in Used()) await FeedAsync(engine, rows, name, file, ct);
        engine.Complete();
        rows.Finish();
        return new FileRunCounts(_sources.Values.Sum(s => s.Next), rows.Rows, rows.FailedRows, rows.DroppedEvents)
        {
            LeftOut = leftOut,
        };
    }

    private IEnumerable<(string Name, string File)> Used() => plan.Inputs.Select(name => (name, _files[name]));

    private async Task FindPartitionsAsync(string name, string file, CancellationToken ct)
    {
        var found = new SortedSet<int> { };
        using var scratch = new RecordBatchBuilder();
        await foreach (var line in FileLines.ReadAsync(file, ct))
        {
            if (FileLine.Append(line.Text.Span, _ => scratch, out var partition) is null) found.Add(partition);
            scratch.Clear();
        }

        if (found.Count == 0) found.Add(0);
        foreach (var partition in found) _sources[new TopicPartition(name, partition)] = new SourceLines(file);
    }

    private async Task FeedAsync(QueryEngine engine, FileRows rows, string name, string file, CancellationToken ct)
    {
        await foreach (var line in FileLines.ReadAsync(file, ct))
        {
            var error = FileLine.Append(line.Text.Span, p =>
                _sources[new TopicPartition(name, p)].Builder, out var partition, _untyped.Contains(name));
            if (error is not null)
            {
                // What the lines before it make, and how they fail, comes first.
                FlushAll(engine, name);
                rows.LineFailed(name, line.Number, error.Code, $"{error.Definition.What} [{error.Value}]",
                    line.Text.Span);
                continue;
            }

            var source = _sources[new TopicPartition(name, partition)];
            source.Add(line);
            if (source.Builder.Count >= BatchLines) Flush(engine, new TopicPartition(name, partition));
        }

        FlushAll(engine, name);
    }

    private void FlushAll(QueryEngine engine, string name)
    {
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

    private (long Number, ReadOnlyMemory<byte> Line) LineOf(TopicPartition source, long offset) =>
        _sources[source].Line(offset);

    /// <summary>Lines of one source on their way, and for errors where each stands in its file.</summary>
    private sealed class SourceLines(string file)
    {
        private readonly List<(long Number, long Start)> _places = [];

        public RecordBatchBuilder Builder { get; } = new();

        public long Next { get; set; }

        public void Add(in FileLineText line) => _places.Add((line.Number, line.Start));

        public (long Number, ReadOnlyMemory<byte> Line) Line(long offset)
        {
            var (number, start) = _places[(int)offset];
            return (number, FileLines.At(file, start));
        }
    }
}
