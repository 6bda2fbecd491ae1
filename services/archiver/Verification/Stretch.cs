namespace Millrace.Archiver.Verification;

/// <summary>Why a record need not be in the archive.</summary>
internal enum Expected : byte
{
    /// <summary>The log has no record of that offset.</summary>
    NoRecord,

    /// <summary>It is a row, or there is a dead letter of it.</summary>
    Row,

    /// <summary>Its hour was removed; it may be there again when it came late.</summary>
    Retired,

    /// <summary>Its device is being erased; it may be there yet.</summary>
    Erasing,

    /// <summary>Its device was erased: it may not be there.</summary>
    Erased,

    /// <summary>An output's owner that had been taken over wrote it, or it is a fence: it may not be there.</summary>
    Fenced,

    /// <summary>Whether its owner had been taken over by then is not known any more.</summary>
    Doubtful,
}

/// <summary>
/// Records of one partition of a table's topic, from one offset to another, and the rows that were found for them.
/// </summary>
internal sealed class Stretch(string table, int partition, long from, long to)
{
    private readonly ulong[] _hashes = new ulong[to - from];
    private readonly Expected[] _expected = new Expected[to - from];
    private readonly bool[] _found = new bool[to - from];
    private readonly Findings _wrong = new();
    private long _records, _rows, _doubled, _different, _unknown, _notErased;
    private ulong _archiveSum;

    public int Partition { get; } = partition;

    public long From { get; } = from;

    public long To { get; } = to;

    public void AddRecord(long offset, ulong hash, Expected expected)
    {
        _records++;
        _hashes[offset - From] = hash;
        _expected[offset - From] = expected;
    }

    /// <param name="defect">What is wrong with the row whatever its record says.</param>
    public void AddRow(long offset, ulong hash, string? defect)
    {
        _rows++;
        var at = offset - From;
        if (_found[at]) _wrong.Add(ref _doubled, "doubled", offset);
        else if (_expected[at] == Expected.NoRecord) _wrong.Add(ref _unknown, "no record", offset);
        else if (_expected[at] == Expected.Fenced) _wrong.Add(ref _unknown, "of a stale owner", offset);
        else if (_expected[at] == Expected.Erased) _wrong.Add(ref _notErased, "not erased", offset);
        else if (_hashes[at] != hash) _wrong.Add(ref _different, "different", offset);
        else if (defect is not null) _wrong.Add(ref _different, defect, offset);
        _archiveSum += hash;
        _found[at] = true;
    }

    /// <summary>The result, when the dead letters of records that were not found are known.</summary>
    public async ValueTask<Verification> ResultAsync(Func<long, ValueTask<bool>> isDeadLettered)
    {
        var (missing, lettered, retired, erased, fenced, undecided) = (0L, 0L, 0L, 0L, 0L, 0L);
        var logSum = 0UL;
        for (var at = 0; at < _expected.Length; at++)
        {
            if (_expected[at] == Expected.Doubtful) undecided++;
            if (_found[at])
            {
                logSum += _hashes[at];
                continue;
            }

            switch (_expected[at])
            {
                case Expected.Retired: retired++; break;
                case Expected.Erasing or Expected.Erased: erased++; break;
                case Expected.Fenced: fenced++; break;
                case Expected.Row when await isDeadLettered(From + at).ConfigureAwait(false): lettered++; break;
                case Expected.Row:
                    logSum += _hashes[at];
                    _wrong.Add(ref missing, "missing", From + at);
                    break;
            }
        }

        return new Verification(
            table, Partition, From, To, _records, _rows, Text(logSum), Text(_archiveSum), lettered, retired, erased,
            fenced, undecided, Trimmed: 0, Unaccounted: 0, missing, _doubled, _different, _unknown, _notErased,
            _wrong.Examples);
    }

    public static string Text(ulong sum) => sum.ToString("x16", System.Globalization.CultureInfo.InvariantCulture);
}
