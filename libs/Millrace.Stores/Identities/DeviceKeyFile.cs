using System.Security.Cryptography;
using Millrace.Hosting;

namespace Millrace.Stores.Identities;

/// <summary>The file that holds the key under which device keys are encrypted: 32 bytes, for its owner alone.</summary>
internal static class DeviceKeyFile
{
    private const int KeyBytes = 32;

    public static string Default(DataFolder folder) => Path.Combine(folder.Secrets, "device-keys.key");

    /// <param name="mayMake">
    /// Whether a missing file is made. Not when devices are there: a new key would make all of theirs unreadable.
    /// </param>
    /// <param name="otherPath">The key that takes its place or had it before; it may be missing.</param>
    public static DeviceKeyCipher Open(string path, bool mayMake, string? otherPath = null)
    {
        if (!mayMake && !File.Exists(path))
            throw StoreErrors.DeviceKeyFileInvalid.With(path, "It is missing.").AsException();
        var other = File.Exists(otherPath) ? Read(otherPath, mayMake: false) : null;
        return new DeviceKeyCipher(Read(path, mayMake), other);
    }

    private static byte[] Read(string path, bool mayMake)
    {
        try
        {
            if (mayMake && !File.Exists(path)) Make(path);
            var key = File.ReadAllBytes(path);
            return key.Length == KeyBytes
                ? key
                : throw StoreErrors.DeviceKeyFileInvalid.With(path, $"It holds {key.Length} bytes.").AsException();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw StoreErrors.DeviceKeyFileInvalid.With(path, e.Message).AsException(e);
        }
    }

    private static void Make(string path)
    {
        const UnixFileMode owner = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        var folder = Path.GetDirectoryName(Path.GetFullPath(path))!;
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (OperatingSystem.IsWindows()) Directory.CreateDirectory(folder);
        else
        {
            Directory.CreateDirectory(folder, owner | UnixFileMode.UserExecute);
            options.UnixCreateMode = owner;
        }

        // Under its name it is there whole or not at all, also when the power fails now.
        var unfinished = $"{path}.{Guid.NewGuid():N}";
        using (var file = new FileStream(unfinished, options))
        {
            file.Write(RandomNumberGenerator.GetBytes(KeyBytes));
            file.Flush(flushToDisk: true);
        }

        // Where another process that starts now was first, its key is the one.
        FirstFile.Name(unfinished, path);
    }
}
