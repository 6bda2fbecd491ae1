namespace Millrace.Archiver.Files;

/// <summary>How large a row group becomes: by its rows, and by what they have before compression.</summary>
internal readonly record struct RowGroupLimit(int Rows, long Bytes)
{
    /// <summary>How many of the next rows are one; at least one is.</summary>
    /// <param name="bytesOf">The size of a row.</param>
    public int Take(ReadOnlySpan<int> rows, Func<int, long> bytesOf)
    {
        var most = Math.Min(Rows, rows.Length);
        var bytes = bytesOf(rows[0]);
        for (var count = 1; count < most; count++)
        {
            bytes += bytesOf(rows[count]);
            if (bytes > Bytes) return count;
        }

        return most;
    }
}
