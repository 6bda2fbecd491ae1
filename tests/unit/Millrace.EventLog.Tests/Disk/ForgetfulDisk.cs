using Millrace.EventLog.Disk;

namespace Millrace.EventLog.Tests.Disk;

/// <summary>
/// A disk in memory that keeps, when the power goes, only what was synced; of the rest any part may be there: a
/// change of a folder or not, a write whole, or to any byte, or its end alone. It can lose power at a chosen call, or
/// fail one, as disks do: after a failed sync the bytes are still read, but no later sync makes them durable.
/// </summary>
internal sealed class ForgetfulDisk(Random random) : ILogDisk
{
    private readonly Lock _gate = new();
    private Dictionary<string, Folder> _folders = [];
    private bool _dead;

    /// <summary>How many calls have changed something so far.</summary>
    public int Calls { get; private set; }

    /// <summary>The power goes at this call, which may still have done some of its work.</summary>
    public int CrashAt { get; set; } = int.MaxValue;

    /// <summary>Whether this call, counted from 1, fails once, and how.</summary>
    public Func<int, Fault> FaultAt { get; set; } = _ => Fault.None;

    /// <summary>Whether a change of this file fails; whether it is a sync.</summary>
    public Func<string, bool, bool> FailsIn { get; set; } = (_, _) => false;

    public long Free { get; set; } = long.MaxValue;

    /// <summary>While it is not set, nothing changes: whoever wants a change waits.</summary>
    public ManualResetEventSlim IsFree { get; } = new(true);

    /// <summary>A sync takes some time, and who waits for one that fails hears of it later still.</summary>
    public bool IsSlow { get; init; }

    /// <summary>How many syncs of files there were.</summary>
    public int Syncs { get; private set; }

    /// <summary>What a machine finds that starts after the power went, now.</summary>
    public ForgetfulDisk AfterPowerLoss()
    {
        lock (_gate)
        {
            _dead = true;
            var found = new ForgetfulDisk(random);
            foreach (var (path, folder) in _folders) found._folders[path] = folder.AfterPowerLoss(random);
            // A folder that is not named by the one above it is gone, with all below it.
            foreach (var path in found._folders.Keys.Where(path => !found.IsReachable(path)).ToList())
                found._folders.Remove(path);
            return found;
        }
    }

    /// <summary>
    /// What a process finds that starts after the one before was killed, now: all of it, synced or not.
    /// </summary>
    public ForgetfulDisk AfterKill()
    {
        lock (_gate)
        {
            _dead = true;
            return new ForgetfulDisk(random) { _folders = _folders };
        }
    }

    public bool FolderExists(string path)
    {
        lock (_gate) return path.Length <= 1 || _folders.ContainsKey(path);
    }

    public bool FileExists(string path)
    {
        lock (_gate) return Find(path) is not null;
    }

    public IReadOnlyList<string> Folders(string path)
    {
        lock (_gate) return In(path).Names.Where(pair => pair.Value is null).Select(pair => pair.Key).ToList();
    }

    public IReadOnlyList<string> Files(string path)
    {
        lock (_gate) return In(path).Names.Where(pair => pair.Value is not null).Select(pair => pair.Key).ToList();
    }

    public void CreateFolder(string path) => Change(() =>
    {
        _folders[path] = new Folder();
        In(Above(path)).Do(new NameChange(null, Path.GetFileName(path), null));
    });

    public ILogFile Create(string path)
    {
        var node = new Node(random);
        Change(() =>
        {
            if (Find(path) is not null) throw new IOException($"It exists: {path}");
            In(Above(path)).Do(new NameChange(null, Path.GetFileName(path), node));
        });
        return new OpenFile(this, node, path);
    }

    public ILogFile Open(string path)
    {
        lock (_gate)
        {
            if (_dead) throw new IOException("No power.");
            return new OpenFile(this, Find(path) ?? throw new FileNotFoundException(path), path);
        }
    }

    public void Delete(string path) => Change(() =>
    {
        if (Find(path) is not null) In(Above(path)).Do(new NameChange(Path.GetFileName(path), null, null));
    });

    public void Rename(string from, string to) => Change(() =>
        In(Above(to)).Do(new NameChange(Path.GetFileName(from), Path.GetFileName(to), Find(from))));

    public void SyncFolder(string path) => Change(() => In(path).Sync());

    public long FreeBytes(string path) => Free;

    public IDisposable Lock(string path) => new MemoryStream();

    /// <summary>Turns bits of a file that is on the disk, as a bad disk would.</summary>
    public void Corrupt(string path, Action<byte[]> change)
    {
        lock (_gate) Find(path)!.Corrupt(change);
    }

    public long LengthOf(string path)
    {
        lock (_gate) return Find(path)!.Read().Length;
    }

    private void Change(Action work, Action<Fault>? failing = null, string path = "", bool isSync = false)
    {
        IsFree.Wait();
        lock (_gate)
        {
            if (_dead) throw new IOException("No power.");
            Calls++;
            var fault = FailsIn(path, isSync) ? Fault.Error : FaultAt(Calls);
            if (Calls >= CrashAt)
            {
                _dead = true;
                if (random.Next(2) == 0) work();
                throw new IOException("The power goes.");
            }

            if (fault != Fault.None) failing?.Invoke(fault);
            if (fault == Fault.NoSpace) throw new DiskFullException("No space left on device");
            if (fault == Fault.Error) throw new IOException("Input/output error");
            work();
        }
    }

    private Folder In(string path)
    {
        if (path.Length <= 1 && !_folders.ContainsKey(path)) _folders[path] = new Folder();
        return _folders.TryGetValue(path, out var folder) ? folder : throw new DirectoryNotFoundException(path);
    }

    private Node? Find(string path) => _folders.TryGetValue(Above(path), out var folder)
        ? folder.Names.GetValueOrDefault(Path.GetFileName(path))
        : null;

    private bool IsReachable(string path) => path.Length <= 1
        || (_folders.TryGetValue(Above(path), out var above)
            && above.Names.ContainsKey(Path.GetFileName(path)) && IsReachable(Above(path)));

    private static string Above(string path) => Path.GetDirectoryName(path)!;

    private sealed class OpenFile(ForgetfulDisk disk, Node node, string path) : ILogFile
    {
        public long Length
        {
            get
            {
                lock (disk._gate) return node.Read().Length;
            }
        }

        public int Read(Span<byte> target, long position)
        {
            lock (disk._gate)
            {
                var bytes = node.Read();
                var count = (int)Math.Clamp(bytes.Length - position, 0, target.Length);
                if (count > 0) bytes.AsSpan((int)position, count).CopyTo(target);
                return count;
            }
        }

        public void Write(ReadOnlySpan<byte> bytes, long position)
        {
            var write = new FileChange(position, bytes.ToArray());
            disk.Change(() => node.Do(write), _ => node.Do(write.Torn(disk.Random)), path);
        }

        public void Truncate(long length) =>
            disk.Change(() => node.Do(new FileChange(length, null)), path: path);

        public void Sync()
        {
            if (disk.IsSlow) Thread.Sleep(1);
            try
            {
                disk.Change(
                    () =>
                    {
                        node.Sync();
                        disk.Syncs++;
                    },
                    _ => node.FailSync(),
                    path,
                    isSync: true);
            }
            catch (IOException) when (disk.IsSlow)
            {
                Thread.Sleep(2);
                throw;
            }
        }

        public void Dispose()
        {
        }
    }

    private Random Random => random;
}

internal enum Fault
{
    None,
    Error,
    NoSpace,
}
