using Millrace.ObjectStore.Files;

namespace Millrace.ObjectStore.Tests;

/// <summary>
/// A disk over a real folder that remembers what would be there after a power cut: contents that were synced, under
/// names whose folder was synced. Dies at the nth operation; what it had not to keep it may have kept or not.
/// </summary>
internal sealed class ForgetfulDisk(string root, int dieAt) : IDisk
{
    private readonly PosixDisk _disk = new();
    private readonly Dictionary<string, FileState> _names = [];
    private readonly HashSet<string> _folders = [];
    private readonly Dictionary<string, FileState> _durableNames = [];
    private readonly HashSet<string> _durableFolders = [root];
    private int _operations;

    /// <summary>The power is cut.</summary>
    public sealed class PowerCutException : Exception;

    public FileStream Create(string path)
    {
        Operate();
        _names[path] = new FileState();
        return _disk.Create(path);
    }

    public void Sync(FileStream file)
    {
        Operate();
        _disk.Sync(file);
        _names[file.Name].Synced = File.ReadAllBytes(file.Name);
    }

    public void CreateFolder(string path)
    {
        Operate();
        _disk.CreateFolder(path);
        _folders.Add(path);
    }

    public void SyncFolder(string path)
    {
        Operate();
        _durableFolders.UnionWith(_folders.Where(folder => Path.GetDirectoryName(folder) == path));
        foreach (var gone in _durableNames.Keys.Where(name => Within(name, path) && !_names.ContainsKey(name)).ToList())
            _durableNames.Remove(gone);
        foreach (var (name, state) in _names.Where(pair => Within(pair.Key, path))) _durableNames[name] = state;
    }

    public void Replace(string from, string to)
    {
        Operate();
        _disk.Replace(from, to);
        _names[to] = _names[from];
        _names.Remove(from);
    }

    public bool TryLink(string from, string to)
    {
        Operate();
        if (!_disk.TryLink(from, to)) return false;
        _names[to] = _names[from];
        return true;
    }

    public void Delete(string path)
    {
        Operate();
        _disk.Delete(path);
        _names.Remove(path);
    }

    /// <summary>
    /// What is there when the power is back, in another folder. By chance, names that were not synced too.
    /// </summary>
    public void RecoverTo(string target, Random random)
    {
        var kept = new Dictionary<string, FileState>(_durableNames);
        foreach (var (name, state) in _names)
        {
            if (random.Next(2) == 0) kept[name] = state;
        }

        foreach (var (name, state) in kept)
        {
            var folder = Path.GetDirectoryName(name)!;
            if (!IsDurable(folder) && random.Next(2) == 0) continue;
            var path = Path.Combine(target, Path.GetRelativePath(root, name));
            Directory.CreateDirectory(Path.GetDirectoryName(path)!);

            // A name whose content was not synced may show anything; here, half of nothing.
            File.WriteAllBytes(path, state.Synced ?? [0]);
        }
    }

    private bool IsDurable(string folder) =>
        folder == root || (_durableFolders.Contains(folder) && IsDurable(Path.GetDirectoryName(folder)!));

    private static bool Within(string name, string folder) => Path.GetDirectoryName(name) == folder;

    private void Operate()
    {
        if (++_operations >= dieAt) throw new PowerCutException();
    }

    private sealed class FileState
    {
        public byte[]? Synced { get; set; }
    }
}
