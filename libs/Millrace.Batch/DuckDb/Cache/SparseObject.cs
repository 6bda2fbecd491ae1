using Millrace.Delta.Pruning;
using Millrace.ObjectStore;

namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// A Parquet object, of which those bytes are in local files that somebody needed. Each row group is a file of its own,
/// so that no engine can read one that was passed over. Objects never change, so what is there stays right.
/// </summary>
internal sealed class SparseObject(IObjectStore store, string key, string path, long bytes, BatchMetrics metrics)
{
    private const int TailBytes = 64 * 1024;
    private const int WholeBytesMax = 256 * 1024;
    private const int GapBytesMax = 256 * 1024;
    private const int RequestBytesMax = 16 * 1024 * 1024;

    private readonly SemaphoreSlim _one = new(1, 1);
    private readonly Dictionary<int, RowGroupFile> _files = [];
    private ParquetFooter? _footer;
    private long _dataBytes;

    /// <summary>How many statements need it now.</summary>
    public int Users { get; set; }

    public long LastUse { get; set; }

    /// <summary>Bytes that it takes of the disk.</summary>
    public long BytesThere { get; private set; }

    /// <summary>The size of its footer, which is in memory.</summary>
    public long FooterBytes { get; private set; }

    /// <summary>Sees to it that the footer is known, which says where the columns are and what they hold.</summary>
    public async ValueTask FetchFooterAsync(CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            if (_footer is not null) return;
            var tail = await GetAsync(new ByteRange(bytes <= WholeBytesMax ? 0 : bytes - TailBytes, bytes), ct)
                .ConfigureAwait(false);
            var length = LengthIn(tail);
            if (length > tail.Length)
            {
                var front = new ByteRange(bytes - length, bytes - tail.Length);
                tail = [.. await GetAsync(front, ct).ConfigureAwait(false), .. tail];
            }

            var footer = Read(tail.AsSpan((int)(tail.Length - length)));
            _dataBytes = bytes - length;
            if (bytes <= WholeBytesMax)
            {
                foreach (var group in footer.Groups)
                    await FileOf(footer, group).KeepAsync(0, tail, ct).ConfigureAwait(false);
            }

            (_footer, FooterBytes) = (footer, length);
        }
        finally
        {
            BytesThere = _files.Values.Sum(file => file.BytesThere);
            _one.Release();
        }
    }

    /// <summary>The files of the row groups that may have rows within the ranges.</summary>
    public async ValueTask<IReadOnlyList<RowGroupFile>> FilesWithinAsync(
        IReadOnlyList<ColumnRange> ranges, CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            var footer = _footer!;
            var needed = footer.Groups.Where(group => group.Stats.MayHold(ranges)).ToList();
            metrics.PrunedRowGroups(needed.Count, footer.Groups.Count - needed.Count);
            return [.. needed.Select(group => FileOf(footer, group))];
        }
        finally
        {
            _one.Release();
        }
    }

    /// <summary>Sees to it that these columns of the files, which are its own, are there.</summary>
    public async ValueTask FetchColumnsAsync(
        IReadOnlyList<RowGroupFile> files, Func<string, bool> isNeeded, CancellationToken ct)
    {
        await _one.WaitAsync(ct).ConfigureAwait(false);
        try
        {
            foreach (var range in ByteRanges.Merged(files.SelectMany(file => file.Missing(isNeeded)), GapBytesMax))
            {
                for (var at = range.From; at < range.To; at += RequestBytesMax)
                {
                    var part = new ByteRange(at, Math.Min(range.To, at + RequestBytesMax));
                    var content = await GetAsync(part, ct).ConfigureAwait(false);
                    foreach (var file in files) await file.KeepAsync(at, content, ct).ConfigureAwait(false);
                }
            }
        }
        finally
        {
            BytesThere = _files.Values.Sum(file => file.BytesThere);
            _one.Release();
        }
    }

    public void Delete()
    {
        foreach (var file in _files.Values) File.Delete(file.Path);
    }

    private RowGroupFile FileOf(ParquetFooter footer, RowGroup group)
    {
        if (_files.TryGetValue(group.Number, out var known)) return known;
        var file = RowGroupFile.Create(path, group, _dataBytes, footer.Only(group));
        _files.Add(group.Number, file);
        return file;
    }

    private long LengthIn(byte[] tail)
    {
        try
        {
            var length = ParquetFooter.LengthIn(tail);
            return length <= bytes ? length : throw new InvalidDataException("It is shorter than its footer.");
        }
        catch (InvalidDataException e)
        {
            throw Damaged(e);
        }
    }

    private ParquetFooter Read(ReadOnlySpan<byte> footer)
    {
        try
        {
            return ParquetFooter.Read(footer);
        }
        catch (InvalidDataException e)
        {
            throw Damaged(e);
        }
    }

    private Exception Damaged(InvalidDataException e) =>
        BatchErrors.Refused.With(key, $"The footer of this object cannot be read. {e.Message}").AsException(e);

    private async ValueTask<byte[]> GetAsync(ByteRange part, CancellationToken ct)
    {
        var content = await store.GetRangeAsync(key, part.From, (int)part.Bytes, ct).ConfigureAwait(false);
        if (content is null || content.Length != part.Bytes)
        {
            throw BatchErrors.Refused.With(key, "The table's log names this object, and it is not there, or shorter.")
                .AsException();
        }

        metrics.Fetched(part.Bytes);
        return content;
    }
}
