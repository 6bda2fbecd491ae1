using CsCheck;
using Millrace.Primitives;
using Millrace.Stores.Identities;

namespace Millrace.Stores.Tests.Identities;

public class DeviceKeyCipherTests
{
    private readonly DeviceKeyCipher _cipher = new([.. Enumerable.Range(0, 32).Select(i => (byte)i)]);

    [Test]
    public void What_was_encrypted_is_read_and_never_looks_the_same()
    {
        Gen.Select(Gen.String, Gen.String).Sample((device, key) =>
        {
            var one = _cipher.Encrypt(device, KeySlot.Primary, key);
            var two = _cipher.Encrypt(device, KeySlot.Primary, key);
            return _cipher.Decrypt(device, KeySlot.Primary, one) == key && !one.SequenceEqual(two);
        }, iter: 200);
    }

    [Test]
    public void Any_changed_bit_is_told()
    {
        var stored = _cipher.Encrypt("pump", KeySlot.Primary, "the key");
        for (var bit = 0; bit < stored.Length * 8; bit++)
        {
            var changed = stored.ToArray();
            changed[bit / 8] ^= (byte)(1 << (bit % 8));
            Assert.That(Code(_cipher, "pump", KeySlot.Primary, changed), Is.EqualTo("ST-0004"), $"bit {bit}");
        }
    }

    [Test]
    public void A_key_of_another_device_place_or_file_is_told()
    {
        var stored = _cipher.Encrypt("pump", KeySlot.Primary, "the key");
        Assert.That(Code(_cipher, "pump2", KeySlot.Primary, stored), Is.EqualTo("ST-0004"));
        Assert.That(Code(_cipher, "pump", KeySlot.Secondary, stored), Is.EqualTo("ST-0004"));
        Assert.That(Code(new DeviceKeyCipher(new byte[32]), "pump", KeySlot.Primary, stored), Is.EqualTo("ST-0004"));
    }

    [TestCase(0)]
    [TestCase(11)]
    [TestCase(27)]
    public void Bytes_that_are_too_few_are_told(int count) =>
        Assert.That(Code(_cipher, "pump", KeySlot.Primary, new byte[count]), Is.EqualTo("ST-0004"));

    private static string Code(DeviceKeyCipher cipher, string device, KeySlot slot, byte[] stored) =>
        Assert.Throws<MillraceException>(() => cipher.Decrypt(device, slot, stored))!.Error.Code;
}
