namespace Millrace.Stores.Identities;

/// <summary>A device's keys as they lie in the store.</summary>
internal readonly record struct StoredKeys(string DeviceId, byte[] Primary, byte[] Secondary)
{
    /// <summary>Both under the cipher's present key, or null when they are already.</summary>
    public StoredKeys? Renewed(DeviceKeyCipher cipher)
    {
        var primary = cipher.Renew(DeviceId, KeySlot.Primary, Primary);
        var secondary = cipher.Renew(DeviceId, KeySlot.Secondary, Secondary);
        return primary is null && secondary is null
            ? null
            : new StoredKeys(DeviceId, primary ?? Primary, secondary ?? Secondary);
    }
}
