namespace Millrace.Stores.Positions;

/// <summary>
/// A geohash as a number of 32 bits: halves of the longitude and of the latitude in turn, the longitude first. Its
/// cells are 0.0055 by 0.0027 degrees; what is near mostly has near numbers, so that an area is a few ranges of them.
/// </summary>
internal static class Geohash
{
    public const int Bits = 32;

    private const int AxisBits = Bits / 2;
    private const int AxisCells = 1 << AxisBits;

    public static long Of(double latitude, double longitude)
    {
        var (x, y) = ((long)Column(longitude), (long)Row(latitude));
        var hash = 0L;
        for (var bit = AxisBits - 1; bit >= 0; bit--)
            hash = (hash << 2) | (((x >> bit) & 1) << 1) | ((y >> bit) & 1);
        return hash;
    }

    /// <summary>
    /// Ranges of hashes in rising order, both ends included, that hold every point of the boxes and, the more ranges
    /// are allowed, the less else.
    /// </summary>
    public static IReadOnlyList<CellRange> Cover(IEnumerable<GeoBox> boxes, int rangesMax)
    {
        var wanted = boxes.Select(Cells.Of).ToList();
        List<Node> nodes = [new(0, 0, new Cells(0, AxisCells - 1, 0, AxisCells - 1))];
        for (var bits = 0; bits < Bits; bits++)
        {
            var next = new List<Node>();
            foreach (var node in nodes)
            {
                if (wanted.Any(box => box.Holds(node.Cells))) next.Add(node);
                else next.AddRange(node.Halves().Where(half => wanted.Any(box => box.Meets(half.Cells))));
            }

            if (next.Count > rangesMax) break;
            nodes = next;
        }

        return Joined(nodes);
    }

    private static List<CellRange> Joined(List<Node> nodes)
    {
        var ranges = new List<CellRange>();
        foreach (var (first, last) in nodes.Select(node => (node.First, node.Last)).Order())
        {
            if (ranges.Count > 0 && ranges[^1].Last + 1 == first) ranges[^1] = ranges[^1] with { Last = last };
            else ranges.Add(new CellRange(first, last));
        }

        return ranges;
    }

    private static int Column(double longitude) => Clamped((longitude + 180) / 360);

    private static int Row(double latitude) => Clamped((latitude + 90) / 180);

    private static int Clamped(double part) => (int)Math.Clamp(Math.Floor(part * AxisCells), 0, AxisCells - 1);

    /// <summary>A rectangle of cells, both ends included.</summary>
    private readonly record struct Cells(int Left, int Right, int Bottom, int Top)
    {
        public static Cells Of(GeoBox box) =>
            new(Column(box.West), Column(box.East), Row(box.South), Row(box.North));

        public bool Holds(Cells other) =>
            other.Left >= Left && other.Right <= Right && other.Bottom >= Bottom && other.Top <= Top;

        public bool Meets(Cells other) =>
            other.Left <= Right && other.Right >= Left && other.Bottom <= Top && other.Top >= Bottom;
    }

    /// <summary>All cells whose hashes begin with the same bits.</summary>
    private readonly record struct Node(long Prefix, int Length, Cells Cells)
    {
        public long First => Prefix << (Bits - Length);

        public long Last => First + (1L << (Bits - Length)) - 1;

        public IEnumerable<Node> Halves()
        {
            var (low, high) = (Cells, Cells);
            if (Length % 2 == 0)
            {
                var middle = (Cells.Left + Cells.Right) / 2;
                (low, high) = (low with { Right = middle }, high with { Left = middle + 1 });
            }
            else
            {
                var middle = (Cells.Bottom + Cells.Top) / 2;
                (low, high) = (low with { Top = middle }, high with { Bottom = middle + 1 });
            }

            return [new Node(Prefix << 1, Length + 1, low), new Node((Prefix << 1) | 1, Length + 1, high)];
        }
    }
}

/// <summary>Neighbouring hashes, both ends included.</summary>
internal readonly record struct CellRange(long First, long Last);
