namespace Millrace.Batch.DuckDb.Cache;

/// <summary>
/// A row group of an object as a local Parquet file, in which every byte stands where it does in the object. It has
/// those that somebody needed, and takes no more of the disk.
/// </summary>
internal sealed class RowGroupFile
{
    private readonly RowGroup _group;
    private readonly ByteRanges _there = new();

    /// <summary>What belongs to the row group.</summary>
    private readonly List<ByteRange> _own;

    private RowGroupFile(string path, RowGroup group, long dataBytes)
    {
        Path = path;
        _group = group;
        _own = ByteRanges.Merged(group.Columns.SelectMany(column => new[] { column.Bytes, column.Filter })
            .Select(range => new ByteRange(Math.Max(ParquetFooter.Magic.Length, range.From),
                Math.Min(dataBytes, range.To))), gapMax: 0);
    }

    public string Path { get; }

    public long BytesThere => _there.Bytes;

    /// <param name="path">Of the object; the file has this name and the row group's number.</param>
    /// <param name="dataBytes">What comes before the object's footer.</param>
    /// <param name="footer">The file's own.</param>
    public static RowGroupFile Create(string path, RowGroup group, long dataBytes, byte[] footer)
    {
        var file = new RowGroupFile($"{path}.{group.Number}.parquet", group, dataBytes);
        using var handle = File.OpenHandle(file.Path, FileMode.Create, FileAccess.Write);
        RandomAccess.SetLength(handle, dataBytes + footer.Length);
        RandomAccess.Write(handle, ParquetFooter.Magic, 0);
        RandomAccess.Write(handle, footer, dataBytes);
        return file;
    }

    /// <summary>What is not there of the columns whose names are needed.</summary>
    public IEnumerable<ByteRange> Missing(Func<string, bool> isNeeded)
    {
        var wanted = _group.Columns.Where(column => isNeeded(column.Name))
            .SelectMany(column => new[] { column.Bytes, column.Filter });
        return wanted.SelectMany(range => _own.Select(own => Common(own, range))).Where(range => range.Bytes > 0)
            .SelectMany(_there.Missing);
    }

    /// <summary>Keeps what of the object's bytes, which begin there, is the row group's.</summary>
    public async ValueTask KeepAsync(long from, byte[] content, CancellationToken ct)
    {
        var given = new ByteRange(from, from + content.Length);
        var parts = _own.Select(own => Common(own, given)).Where(part => part.Bytes > 0).ToList();
        if (parts.Count == 0) return;
        using var handle = File.OpenHandle(Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite);
        foreach (var part in parts)
        {
            var bytes = content.AsMemory((int)(part.From - from), (int)part.Bytes);
            await RandomAccess.WriteAsync(handle, bytes, part.From, ct).ConfigureAwait(false);
            _there.Add(part);
        }
    }

    private static ByteRange Common(ByteRange a, ByteRange b) => new(Math.Max(a.From, b.From), Math.Min(a.To, b.To));
}
