using Millrace.TestKit;

namespace Millrace.Integration.Tests.Survival;

/// <summary>A file system of a given size, in memory, which a test can fill and make room on.</summary>
internal sealed class SmallDisk : IAsyncDisposable
{
    private readonly Tool _umount;
    private readonly string _ballast;

    private SmallDisk(string path, Tool umount) =>
        (Path, _umount, _ballast) = (path, umount, System.IO.Path.Combine(path, "ballast"));

    public string Path { get; }

    /// <summary>Mounts it; only root can, so for anyone else the test is skipped.</summary>
    public static async Task<SmallDisk> MountAsync(string path, int mebibytes)
    {
        if (!Environment.IsPrivilegedProcess) Assert.Ignore("Only root can mount a small disk.");
        var (mount, umount) = (Tool.Find("mount"), Tool.Find("umount"));
        if (mount is null || umount is null) Assert.Ignore("mount is not installed (Debian: mount).");
        var (code, output) = await mount!.RunAsync("-t", "tmpfs", "-o", $"size={mebibytes}m", "millrace-test", path);
        if (code != 0) Assert.Ignore($"A small disk cannot be mounted here: {output.Trim()}");
        return new SmallDisk(path, umount!);
    }

    /// <summary>Takes room until no more than this is free.</summary>
    public void Fill(long freeBytes)
    {
        using var ballast = new FileStream(_ballast, FileMode.Append, FileAccess.Write, FileShare.None, bufferSize: 0);
        var free = new DriveInfo(Path).AvailableFreeSpace;
        if (free <= freeBytes) return;
        var block = new byte[64 << 10];
        try
        {
            for (var left = free - freeBytes; left > 0; left -= block.Length)
                ballast.Write(block, 0, (int)Math.Min(left, block.Length));
        }
        catch (IOException)
        {
            // Someone else took the last of it.
        }
    }

    public void MakeRoom() => File.Delete(_ballast);

    public async ValueTask DisposeAsync()
    {
        var (code, output) = await _umount.RunAsync(Path);
        if (code != 0) (code, output) = await _umount.RunAsync("-l", Path);
        Assert.That(code, Is.Zero, output);
    }
}
