import os

import django
from django.conf import settings

settings.configure(DATABASES={"default": {
    "ENGINE": "django.db.backends.postgresql", "NAME": os.environ["PGDATABASE"],
    "HOST": os.environ["PGHOST"], "USER": os.environ["PGUSER"],
}}, DEFAULT_AUTO_FIELD="django.db.models.AutoField")
django.setup()

from django.db import connection, migrations, models
from django.db.migrations.state import ProjectState
from django.db.models import Avg
from pgvector.django import (BitField, CosineDistance, HalfVectorField, HammingDistance, HnswIndex, L2Distance,
                             SparseVectorField, VectorExtension, VectorField)


class Item(models.Model):
    v = VectorField(dimensions=3)
    h = HalfVectorField(dimensions=3)
    b = BitField(length=3)
    s = SparseVectorField(dimensions=3, null=True)

    class Meta:
        app_label = "items"
        indexes = [HnswIndex(name="items_v", fields=["v"], m=16, ef_construction=64, opclasses=["vector_l2_ops"])]


class Migration(migrations.Migration):
    operations = [VectorExtension()]


with connection.schema_editor() as editor:
    Migration("0001", "items").apply(ProjectState(), editor)
with connection.schema_editor() as editor:
    editor.create_model(Item)
for row in [1, 1, 1], [2, 2, 2], [1, 1, 2]:
    Item(v=row, h=row, b="".join("1" if x > 1 else "0" for x in row)).save()


def ids(distance):
    return [item.pk for item in Item.objects.order_by(distance)[:5]]


assert ids(L2Distance("v", [1, 1, 1])) == [1, 3, 2]
assert ids(CosineDistance("h", [1, 1, 2]))[0] == 3
assert ids(HammingDistance("b", "000")) == [1, 3, 2]
assert Item.objects.annotate(distance=L2Distance("v", [1, 2, 4])).get(pk=2).distance == 5**0.5
assert len(Item.objects.aggregate(avg=Avg("v"))["avg"]) == 3
